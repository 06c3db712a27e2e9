/** Changes of the shipped configuration that its own comments tell operators to make, and one reply of Envoy's own. */

type Change = (shipped: string) => string;

/** Replaces what must be there. */
function replaced(text: string, pattern: string | RegExp, replacement: string): string {
  const changed = text.replace(pattern, replacement);
  if (changed === text) throw new Error(`the shipped configuration has no ${String(pattern)}`);
  return changed;
}

/** More fields of a cluster. */
const withinCluster = (text: string, name: string, fields: string): string =>
  replaced(text, `    - name: ${name}\n      type: STATIC\n`, `$&${fields}`);

/** Both upstreams speak HTTP/2, as for gRPC. */
export const withHttp2Upstreams: Change = (shipped) => {
  const fields = `      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          "@type": type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions
          explicit_http_config: { http2_protocol_options: {} }
`;
  return withinCluster(withinCluster(shipped, "stable", fields), "canary", fields);
};

/** The canary's hosts are checked, and an unhealthy one is asked nothing. */
export const withCanaryChecked: Change = (shipped) =>
  withinCluster(
    shipped,
    "canary",
    `      common_lb_config: { healthy_panic_threshold: { value: 0 } }
      health_checks:
        - { timeout: 1s, interval: 0.1s, no_traffic_interval: 0.1s, unhealthy_threshold: 1, healthy_threshold: 1, tcp_health_check: {} }
`,
  );

/** Envoy gives a client so long to send its request. */
export const withRequestTimeout =
  (duration: string): Change =>
  (shipped) =>
    replaced(shipped, /^( *)use_remote_address: true\n/m, `$&$1request_timeout: ${duration}\n`);

/** Envoy itself answers 403 on a path, after the decision and before any upstream. */
export const withOwnReply =
  (path: string): Change =>
  (shipped) =>
    replaced(shipped, /^( *)routes:\n/m, `$&$1  - { name: own, match: { path: "${path}" }, direct_response: { status: 403 } }\n`);

/** The lists that the shipped configuration leaves to be filled: a path that is safe by any method, a path that answers late by design. */
export const withLists =
  ({ safe, late }: { readonly safe?: string; readonly late?: string }): Change =>
  (shipped) => {
    const withSafe = safe === undefined ? shipped : replaced(shipped, /# (- \{ match: \{ path: )\S+?,/, `$1${safe},`);
    if (late === undefined) return withSafe;
    const rescued = replaced(withSafe, /# (- \{ match: \{ prefix: )\/poll,/, `$1${late},`);
    return replaced(rescued, /# (- \{ match: \{ prefix: )\/poll /, `$1${late} `);
  };

/** Envoy ends each decision's stream by a reset, as it does unless told otherwise. */
export const withResets: Change = (shipped) =>
  replaced(shipped, "ext_proc_graceful_grpc_close: true", "ext_proc_graceful_grpc_close: false");

/** So long a request waits for its decision. */
export const withMessageTimeout =
  (duration: string): Change =>
  (shipped) =>
    replaced(shipped, "message_timeout: 0.1s", `message_timeout: ${duration}`);

/** A slow machine alone lets no request go undecided: neither for a late decision, unless a test has said how late, nor for a late answer to a check. */
export const patient: Change = (shipped) =>
  replaced(shipped, "- timeout: 0.5s", "- timeout: 5s").replace("message_timeout: 0.1s", "message_timeout: 10s");

/** One more cluster. */
export const withCluster =
  (name: string, address: string): Change =>
  (shipped) =>
    replaced(
      shipped,
      /^ {2}clusters:\n/m,
      `$&    - name: ${name}
      type: STATIC
      connect_timeout: 0.25s
      load_assignment:
        cluster_name: ${name}
        endpoints: [{ lb_endpoints: [{ endpoint: { address: { socket_address: { address: ${address.split(":")[0]}, port_value: ${address.split(":")[1]} } } } }] }]
`,
    );

/** Only other hops reach it, so it keeps what they say of cohorts. */
export const asInnerHop: Change = (shipped) => replaced(shipped, /^ *- remove: baggage\n/m, "");

/** Speaks TLS with those alone whose certificate the authority has signed; files by their paths. */
export const withMutualTls =
  (files: { readonly certificate: string; readonly key: string; readonly authority: string }): Change =>
  (shipped) =>
    replaced(
      shipped,
      /^( *)- filters:\n/m,
      `$1- transport_socket:
$1    name: envoy.transport_sockets.tls
$1    typed_config:
$1      "@type": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext
$1      require_client_certificate: true
$1      common_tls_context:
$1        tls_certificates: [{ certificate_chain: { filename: ${files.certificate} }, private_key: { filename: ${files.key} } }]
$1        validation_context: { trusted_ca: { filename: ${files.authority} } }
$1  filters:\n`,
    );

/** Outcomes by Envoy's access log stream, as meshes configure it, in the place of lines. */
export const withAccessLogStream: Change = (shipped) =>
  replaced(
    shipped,
    /^ {16}access_log:\n[^]*?(?=^ {16}http_filters:\n)/m,
    `                access_log:
                  - name: envoy.access_loggers.http_grpc
                    typed_config:
                      "@type": type.googleapis.com/envoy.extensions.access_loggers.grpc.v3.HttpGrpcAccessLogConfig
                      common_config:
                        log_name: serin
                        transport_api_version: V3
                        grpc_service: { envoy_grpc: { cluster_name: serin, skip_envoy_headers: true } }
                        buffer_flush_interval: 0.2s
                        buffer_size_bytes: 65536
                      additional_response_headers_to_log: [grpc-status]
                      additional_response_trailers_to_log: [grpc-status]

`,
  );
