-- Written by `python -m rotator.journal.migrations`, which adds up the steps of versions/.
PRAGMA application_id = 1383036001;

CREATE TABLE IF NOT EXISTS alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);

CREATE TABLE meta (
	name TEXT NOT NULL, 
	value TEXT NOT NULL, 
	PRIMARY KEY (name)
);

CREATE TABLE stream (
	id TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	connection TEXT NOT NULL, 
	managed BOOLEAN NOT NULL, 
	next_at FLOAT, 
	woken_at FLOAT, 
	why TEXT NOT NULL, 
	PRIMARY KEY (id), 
	UNIQUE (kind, name)
);

CREATE INDEX due ON stream (connection, next_at) WHERE kind = 'credential';

CREATE TABLE sealed (
	sealed_id TEXT NOT NULL, 
	format INTEGER NOT NULL, 
	instance TEXT NOT NULL, 
	credential TEXT NOT NULL, 
	rid TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	fingerprint TEXT NOT NULL, 
	token_id TEXT NOT NULL, 
	key_id TEXT NOT NULL, 
	wrapped_key BLOB, 
	nonce BLOB NOT NULL, 
	ciphertext BLOB NOT NULL, 
	destroyed_at FLOAT, 
	PRIMARY KEY (sealed_id), 
	FOREIGN KEY(credential) REFERENCES stream (id)
);

CREATE INDEX sealed_by_fingerprint ON sealed (credential, fingerprint);

CREATE TABLE fact (
	seq INTEGER NOT NULL, 
	fact_id TEXT NOT NULL, 
	stream TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	machine INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	epoch INTEGER NOT NULL, 
	writer TEXT NOT NULL, 
	instance TEXT NOT NULL, 
	actor TEXT NOT NULL, 
	owner TEXT NOT NULL, 
	principal TEXT NOT NULL, 
	rid TEXT NOT NULL, 
	attempt INTEGER NOT NULL, 
	token_id TEXT NOT NULL, 
	token_name TEXT NOT NULL, 
	target TEXT NOT NULL, 
	generation INTEGER NOT NULL, 
	fingerprint TEXT NOT NULL, 
	sealed_id TEXT NOT NULL, 
	at FLOAT NOT NULL, 
	boot_id TEXT NOT NULL, 
	boot_time FLOAT NOT NULL, 
	detail TEXT NOT NULL, 
	previous TEXT NOT NULL, 
	hash TEXT NOT NULL, 
	PRIMARY KEY (seq), 
	UNIQUE (stream, position), 
	UNIQUE (fact_id), 
	FOREIGN KEY(stream) REFERENCES stream (id)
);

CREATE UNIQUE INDEX one_capture ON fact (stream, rid, attempt, fingerprint) WHERE kind = 'captured';

CREATE TRIGGER fact_no_update BEFORE UPDATE ON fact BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TRIGGER fact_no_delete BEFORE DELETE ON fact BEGIN SELECT RAISE(ABORT, 'facts are append-only'); END;

CREATE TABLE lease (
	name TEXT NOT NULL, 
	holder TEXT NOT NULL, 
	epoch INTEGER NOT NULL, 
	expires FLOAT NOT NULL, 
	boot_id TEXT NOT NULL, 
	PRIMARY KEY (name)
);

CREATE TABLE process (
	owner TEXT NOT NULL, 
	kind TEXT NOT NULL, 
	host TEXT NOT NULL, 
	pid INTEGER NOT NULL, 
	started FLOAT NOT NULL, 
	heartbeat FLOAT NOT NULL, 
	beat FLOAT NOT NULL, 
	boot_id TEXT NOT NULL, 
	listener TEXT NOT NULL, 
	PRIMARY KEY (owner)
);

CREATE TABLE budget (
	connection TEXT NOT NULL, 
	boot_id TEXT NOT NULL, 
	ends FLOAT NOT NULL, 
	count INTEGER NOT NULL, 
	PRIMARY KEY (connection, boot_id, ends)
);

CREATE TABLE stop (
	connection TEXT NOT NULL, 
	boot_id TEXT NOT NULL, 
	until FLOAT NOT NULL, 
	until_wall FLOAT NOT NULL, 
	seconds FLOAT NOT NULL, 
	PRIMARY KEY (connection)
);

CREATE TABLE canary (
	owner TEXT NOT NULL, 
	record TEXT NOT NULL, 
	PRIMARY KEY (owner)
);

CREATE TABLE pace (
	stream TEXT NOT NULL, 
	connection TEXT NOT NULL, 
	due_at FLOAT, 
	expires_at FLOAT, 
	lifetime FLOAT, 
	planned_at FLOAT, 
	dead_at FLOAT, 
	dead_seen FLOAT, 
	PRIMARY KEY (stream), 
	FOREIGN KEY(stream) REFERENCES stream (id)
);

CREATE INDEX pace_of_connection ON pace (connection);

CREATE TABLE consumer_cursor (
	consumer TEXT NOT NULL, 
	stream TEXT NOT NULL, 
	position INTEGER NOT NULL, 
	PRIMARY KEY (consumer, stream), 
	FOREIGN KEY(stream) REFERENCES stream (id)
);

INSERT INTO alembic_version (version_num) VALUES ('0003');
