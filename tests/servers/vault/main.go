// A real Vault core for the tests: KV v2, policies, AppRole, JWT, leases, wrapping, a file audit device, sealing.
//
// Its first line on stdout is
//
//	vault ready http://127.0.0.1:PORT ROOT_TOKEN UNSEAL_KEY
//
// and it runs until it is killed, or with `--die-with-stdin` until its stdin closes (so that no test run, however it ends,
// leaves a server behind). With `--storage file:DIR` the data outlives the process: start it again with
// `--unseal-key KEY` and the same `--root-token`. It knows nothing of the program under test, listens on loopback only
// and is no server to keep a secret in: one key share, no TLS.
package main

import (
	"context"
	"encoding/hex"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/hashicorp/go-hclog"
	jwt "github.com/hashicorp/vault-plugin-auth-jwt"
	kv "github.com/hashicorp/vault-plugin-secrets-kv"
	"github.com/hashicorp/vault/audit"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/helper/namespace"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical"
	"github.com/hashicorp/vault/sdk/physical/file"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

// builtins says which plugins this binary holds: the core asks before it mounts one.
type builtins map[consts.PluginType][]string

var plugins = builtins{consts.PluginTypeSecrets: {"kv"}, consts.PluginTypeCredential: {"approle", "jwt"}}

func (b builtins) Contains(name string, kind consts.PluginType) bool {
	for _, known := range b[kind] {
		if known == name {
			return true
		}
	}
	return false
}

func (b builtins) Get(string, consts.PluginType) (func() (interface{}, error), bool) {
	return nil, false
}
func (b builtins) Keys(kind consts.PluginType) []string              { return b[kind] }
func (b builtins) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }
func (b builtins) DeprecationStatus(name string, kind consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, b.Contains(name, kind)
}

func storage(spec string, logger hclog.Logger) (physical.Backend, error) {
	if spec == "inmem" {
		return inmem.NewInmem(nil, logger)
	}
	if dir, ok := strings.CutPrefix(spec, "file:"); ok && dir != "" {
		return file.NewFileBackend(map[string]string{"path": dir}, logger)
	}
	return nil, fmt.Errorf("--storage is inmem or file:DIR, not %q", spec)
}

func request(ctx context.Context, core *vault.Core, token, path string, data map[string]interface{}) error {
	reply, err := core.HandleRequest(ctx, &logical.Request{
		Operation: logical.UpdateOperation, ClientToken: token, Path: path, Data: data,
	})
	if err == nil && reply.IsError() {
		err = reply.Error()
	}
	return err
}

// open returns an unsealed core and its unseal key; a core that was not initialized gets the root token and secret/.
func open(ctx context.Context, core *vault.Core, rootToken, unsealKey string) (string, error) {
	initialized, err := core.Initialized(ctx)
	if err != nil {
		return "", err
	}
	firstToken := ""
	if !initialized {
		shares := &vault.SealConfig{SecretShares: 1, SecretThreshold: 1}
		made, err := core.Initialize(ctx, &vault.InitParams{BarrierConfig: shares, RecoveryConfig: shares})
		if err != nil {
			return "", err
		}
		unsealKey, firstToken = hex.EncodeToString(made.SecretShares[0]), made.RootToken
	}
	key, err := hex.DecodeString(unsealKey)
	if err != nil || len(key) == 0 {
		return "", errors.New("this storage is initialized: give its key in hex with --unseal-key")
	}
	if unsealed, err := core.Unseal(key); err != nil || !unsealed {
		return "", fmt.Errorf("the unseal key was not accepted: %w", err)
	}
	if initialized {
		return unsealKey, nil
	}
	token := map[string]interface{}{"id": rootToken, "policies": []string{"root"}, "no_parent": true}
	if err := request(ctx, core, firstToken, "auth/token/create", token); err != nil {
		return "", err
	}
	mount := map[string]interface{}{"type": "kv", "options": map[string]string{"version": "2"}}
	return unsealKey, request(ctx, core, rootToken, "sys/mounts/secret", mount)
}

func run() error {
	listen := flag.String("listen", "127.0.0.1:0", "loopback address; port 0 picks a free one")
	store := flag.String("storage", "inmem", "inmem or file:DIR")
	rootToken := flag.String("root-token", "root", "the id of the root token")
	unsealKey := flag.String("unseal-key", "", "in hex; needed when the storage is initialized")
	dieWithStdin := flag.Bool("die-with-stdin", false, "exit when stdin closes")
	flag.Parse()

	ctx := namespace.RootContext(context.Background())
	logger := hclog.New(&hclog.LoggerOptions{Output: os.Stderr, Level: hclog.Warn})
	disk, err := storage(*store, logger)
	if err != nil {
		return err
	}
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical: disk, DisableMlock: true, Logger: logger, BuiltinRegistry: plugins,
		LogicalBackends:    map[string]logical.Factory{"kv": kv.Factory},
		CredentialBackends: map[string]logical.Factory{"approle": approle.Factory, "jwt": jwt.Factory},
		AuditBackends:      map[string]audit.Factory{"file": audit.NewFileBackend},
	})
	if err != nil {
		return err
	}
	key, err := open(ctx, core, *rootToken, *unsealKey)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	handler := vaulthttp.Handler.Handler(&vault.HandlerProperties{Core: core, ListenerConfig: &configutil.Listener{}})
	server := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	go func() {
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
		if *dieWithStdin {
			go func() {
				_, _ = io.Copy(io.Discard, os.Stdin)
				stop <- syscall.SIGTERM
			}()
		}
		<-stop
		_ = server.Close()
	}()
	fmt.Printf("vault ready http://%s %s %s\n", listener.Addr(), *rootToken, key)
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return core.Shutdown()
}

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "vault-for-tests:", err)
		os.Exit(1)
	}
}
