{{- /* The pod of every mode: it fits the Pod Security Standard `restricted`. */ -}}
{{- define "rotator.pod" -}}
metadata:
  labels:
    {{- include "rotator.selector" . | nindent 4 }}
    {{- with .Values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    {{- if not .Values.existingConfigMap }}
    checksum/config: {{ toYaml .Values.config | sha256sum }}
    {{- end }}
    kubectl.kubernetes.io/default-container: rotator
    {{- with .Values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "rotator.account" . }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: 40
  {{- if eq .Values.mode "once" }}
  restartPolicy: Never
  {{- end }}
  {{- with .Values.image.pullSecrets }}
  imagePullSecrets:
    {{- range . }}
    - name: {{ . }}
    {{- end }}
  {{- end }}
  securityContext:
    runAsNonRoot: true
    runAsUser: 65532
    runAsGroup: 65532
    fsGroup: 65532
    fsGroupChangePolicy: OnRootMismatch
    seccompProfile:
      type: RuntimeDefault
  containers:
    - name: rotator
      image: {{ include "rotator.image" . | quote }}
      imagePullPolicy: {{ .Values.image.pullPolicy }}
      args: [{{ if eq .Values.mode "once" }}once, --wait, 10m{{ else }}run{{ end }}]
      env:
        - name: ROTATOR_CONFIG
          value: /etc/rotator/rotator.yaml
        - name: ROTATOR_HTTP_LISTEN
          value: 0.0.0.0:{{ .Values.service.port }}
        - name: STATE_DIRECTORY
          value: /var/lib/rotator
        {{- if eq .Values.mode "once" }}
        - name: ROTATOR_NODE
          value: {{ include "rotator.name" . }}
        {{- end }}
      {{- if ne .Values.mode "once" }}
      ports:
        - name: http
          containerPort: {{ .Values.service.port }}
          protocol: TCP
      startupProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 5
        failureThreshold: 24
      livenessProbe:
        httpGet: { path: /healthz, port: http }
        periodSeconds: 30
        timeoutSeconds: 10
      readinessProbe:
        httpGet: { path: /readyz, port: http }
        periodSeconds: 15
        timeoutSeconds: 10
      {{- end }}
      resources:
        {{- toYaml .Values.resources | nindent 8 }}
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        runAsNonRoot: true
        capabilities:
          drop: [ALL]
        seccompProfile:
          type: RuntimeDefault
      volumeMounts:
        - name: state
          mountPath: /var/lib/rotator
        - name: config
          mountPath: /etc/rotator
          readOnly: true
        - name: secrets
          mountPath: /run/secrets/rotator
          readOnly: true
        {{- if .Values.vaultToken.enabled }}
        - name: vault-token
          mountPath: /var/run/secrets/vault
          readOnly: true
        {{- end }}
  volumes:
    {{- if eq .Values.mode "once" }}
    - name: state
      persistentVolumeClaim:
        claimName: {{ include "rotator.name" . }}
    {{- end }}
    - name: config
      configMap:
        name: {{ .Values.existingConfigMap | default (include "rotator.name" .) }}
    - name: secrets
      secret:
        secretName: {{ .Values.existingSecret }}
        defaultMode: 288 # 0440; not every reader of YAML knows octal numbers
    {{- if .Values.vaultToken.enabled }}
    - name: vault-token
      projected:
        defaultMode: 288 # 0440; not every reader of YAML knows octal numbers
        sources:
          - serviceAccountToken:
              path: token
              audience: {{ .Values.vaultToken.audience }}
              expirationSeconds: {{ .Values.vaultToken.expirationSeconds | int64 }}
    {{- end }}
  {{- with .Values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .Values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- if .Values.affinity }}
  affinity:
    {{- toYaml .Values.affinity | nindent 4 }}
  {{- else if eq .Values.mode "replicas" }}
  topologySpreadConstraints:
    - maxSkew: 1
      topologyKey: kubernetes.io/hostname
      whenUnsatisfiable: ScheduleAnyway
      labelSelector:
        matchLabels:
          {{- include "rotator.selector" . | nindent 10 }}
  {{- end }}
{{- end }}
