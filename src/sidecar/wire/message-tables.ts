/** Written by `npm run docs` from the protocol files in proto/: each message's fields, as number, name and kind between bars. */
export const MESSAGE_TABLES: Readonly<Record<string, string>> = {
  "envoy.config.core.v3.Address":
    "1 socketAddress envoy.config.core.v3.SocketAddress|2 pipe envoy.config.core.v3.Pipe|3 envoyInternalAddress envoy.config.core.v3.EnvoyInternalAddress",
  "envoy.config.core.v3.BuildVersion": "1 version envoy.type.v3.SemanticVersion|2 metadata google.protobuf.Struct",
  "envoy.config.core.v3.EnvoyInternalAddress": "1 serverListenerName string|2 endpointId string",
  "envoy.config.core.v3.Extension":
    "1 name string|2 category string|3 typeDescriptor string|4 version envoy.config.core.v3.BuildVersion|5 disabled flag|6 typeUrls string[]",
  "envoy.config.core.v3.HeaderMap": "1 headers envoy.config.core.v3.HeaderValue[]",
  "envoy.config.core.v3.HeaderValue": "1 key string|2 value string|3 rawValue bytes",
  "envoy.config.core.v3.Locality": "1 region string|2 zone string|3 subZone string",
  "envoy.config.core.v3.Metadata": "1 filterMetadata google.protobuf.Struct{}|2 typedFilterMetadata google.protobuf.Any{}",
  "envoy.config.core.v3.Node":
    "1 id string|2 cluster string|3 metadata google.protobuf.Struct|12 dynamicParameters xds.core.v3.ContextParams{}|4 locality envoy.config.core.v3.Locality|6 userAgentName string|7 userAgentVersion string|8 userAgentBuildVersion envoy.config.core.v3.BuildVersion|9 extensions envoy.config.core.v3.Extension[]|10 clientFeatures string[]|11 listeningAddresses envoy.config.core.v3.Address[]",
  "envoy.config.core.v3.Pipe": "1 path string|2 mode uint32",
  "envoy.config.core.v3.SocketAddress":
    "1 protocol int32|2 address string|3 portValue uint32|4 namedPort string|5 resolverName string|6 ipv4Compat flag|7 networkNamespaceFilepath string",
  "envoy.data.accesslog.v3.AccessLogCommon":
    "1 sampleRate double|2 downstreamRemoteAddress envoy.config.core.v3.Address|3 downstreamLocalAddress envoy.config.core.v3.Address|4 tlsProperties envoy.data.accesslog.v3.TLSProperties|5 startTime google.protobuf.Timestamp|6 timeToLastRxByte google.protobuf.Duration|7 timeToFirstUpstreamTxByte google.protobuf.Duration|8 timeToLastUpstreamTxByte google.protobuf.Duration|9 timeToFirstUpstreamRxByte google.protobuf.Duration|10 timeToLastUpstreamRxByte google.protobuf.Duration|11 timeToFirstDownstreamTxByte google.protobuf.Duration|12 timeToLastDownstreamTxByte google.protobuf.Duration|13 upstreamRemoteAddress envoy.config.core.v3.Address|14 upstreamLocalAddress envoy.config.core.v3.Address|15 upstreamCluster string|16 responseFlags envoy.data.accesslog.v3.ResponseFlags|17 metadata envoy.config.core.v3.Metadata|18 upstreamTransportFailureReason string|19 routeName string|20 downstreamDirectRemoteAddress envoy.config.core.v3.Address|21 filterStateObjects google.protobuf.Any{}|22 customTags string{}|23 duration google.protobuf.Duration|24 upstreamRequestAttemptCount uint32|25 connectionTerminationDetails string|26 streamId string|27 intermediateLogEntry flag|28 downstreamTransportFailureReason string|29 downstreamWireBytesSent long|30 downstreamWireBytesReceived long|31 upstreamWireBytesSent long|32 upstreamWireBytesReceived long|33 accessLogType int32",
  "envoy.data.accesslog.v3.ConnectionProperties": "1 receivedBytes long|2 sentBytes long",
  "envoy.data.accesslog.v3.HTTPAccessLogEntry":
    "1 commonProperties envoy.data.accesslog.v3.AccessLogCommon|2 protocolVersion int32|3 request envoy.data.accesslog.v3.HTTPRequestProperties|4 response envoy.data.accesslog.v3.HTTPResponseProperties",
  "envoy.data.accesslog.v3.HTTPRequestProperties":
    "1 requestMethod int32|2 scheme string|3 authority string|4 port google.protobuf.UInt32Value|5 path string|6 userAgent string|7 referer string|8 forwardedFor string|9 requestId string|10 originalPath string|11 requestHeadersBytes long|12 requestBodyBytes long|13 requestHeaders string{}|14 upstreamHeaderBytesSent long|15 downstreamHeaderBytesReceived long",
  "envoy.data.accesslog.v3.HTTPResponseProperties":
    "1 responseCode google.protobuf.UInt32Value|2 responseHeadersBytes long|3 responseBodyBytes long|4 responseHeaders string{}|5 responseTrailers string{}|6 responseCodeDetails string|7 upstreamHeaderBytesReceived long|8 downstreamHeaderBytesSent long",
  "envoy.data.accesslog.v3.ResponseFlags":
    "1 failedLocalHealthcheck flag|2 noHealthyUpstream flag|3 upstreamRequestTimeout flag|4 localReset flag|5 upstreamRemoteReset flag|6 upstreamConnectionFailure flag|7 upstreamConnectionTermination flag|8 upstreamOverflow flag|9 noRouteFound flag|10 delayInjected flag|11 faultInjected flag|12 rateLimited flag|13 unauthorizedDetails envoy.data.accesslog.v3.ResponseFlags.Unauthorized|14 rateLimitServiceError flag|15 downstreamConnectionTermination flag|16 upstreamRetryLimitExceeded flag|17 streamIdleTimeout flag|18 invalidEnvoyRequestHeaders flag|19 downstreamProtocolError flag|20 upstreamMaxStreamDurationReached flag|21 responseFromCacheFilter flag|22 noFilterConfigFound flag|23 durationTimeout flag|24 upstreamProtocolError flag|25 noClusterFound flag|26 overloadManager flag|27 dnsResolutionFailure flag|28 downstreamRemoteReset flag",
  "envoy.data.accesslog.v3.ResponseFlags.Unauthorized": "1 reason int32",
  "envoy.data.accesslog.v3.TCPAccessLogEntry":
    "1 commonProperties envoy.data.accesslog.v3.AccessLogCommon|2 connectionProperties envoy.data.accesslog.v3.ConnectionProperties",
  "envoy.data.accesslog.v3.TLSProperties":
    "1 tlsVersion int32|2 tlsCipherSuite google.protobuf.UInt32Value|3 tlsSniHostname string|4 localCertificateProperties envoy.data.accesslog.v3.TLSProperties.CertificateProperties|5 peerCertificateProperties envoy.data.accesslog.v3.TLSProperties.CertificateProperties|6 tlsSessionId string|7 ja3Fingerprint string",
  "envoy.data.accesslog.v3.TLSProperties.CertificateProperties":
    "1 subjectAltName envoy.data.accesslog.v3.TLSProperties.CertificateProperties.SubjectAltName[]|2 subject string|3 issuer string",
  "envoy.data.accesslog.v3.TLSProperties.CertificateProperties.SubjectAltName": "1 uri string|2 dns string",
  "envoy.service.accesslog.v3.StreamAccessLogsMessage":
    "1 identifier envoy.service.accesslog.v3.StreamAccessLogsMessage.Identifier|2 httpLogs envoy.service.accesslog.v3.StreamAccessLogsMessage.HTTPAccessLogEntries|3 tcpLogs envoy.service.accesslog.v3.StreamAccessLogsMessage.TCPAccessLogEntries",
  "envoy.service.accesslog.v3.StreamAccessLogsMessage.HTTPAccessLogEntries": "1 logEntry envoy.data.accesslog.v3.HTTPAccessLogEntry[]",
  "envoy.service.accesslog.v3.StreamAccessLogsMessage.Identifier": "1 node envoy.config.core.v3.Node|2 logName string",
  "envoy.service.accesslog.v3.StreamAccessLogsMessage.TCPAccessLogEntries": "1 logEntry envoy.data.accesslog.v3.TCPAccessLogEntry[]",
  "envoy.service.ext_proc.v3.HttpBody": "1 body bytes|2 endOfStream flag|3 endOfStreamWithoutMessage flag|4 grpcMessageCompressed flag",
  "envoy.service.ext_proc.v3.HttpHeaders":
    "1 headers envoy.config.core.v3.HeaderMap|2 attributes google.protobuf.Struct{}|3 endOfStream flag",
  "envoy.service.ext_proc.v3.HttpTrailers": "1 trailers envoy.config.core.v3.HeaderMap",
  "envoy.service.ext_proc.v3.ProcessingRequest":
    "2 requestHeaders envoy.service.ext_proc.v3.HttpHeaders|3 responseHeaders envoy.service.ext_proc.v3.HttpHeaders|4 requestBody envoy.service.ext_proc.v3.HttpBody|5 responseBody envoy.service.ext_proc.v3.HttpBody|6 requestTrailers envoy.service.ext_proc.v3.HttpTrailers|7 responseTrailers envoy.service.ext_proc.v3.HttpTrailers|8 metadataContext envoy.config.core.v3.Metadata|9 attributes google.protobuf.Struct{}|10 observabilityMode flag|11 protocolConfig envoy.service.ext_proc.v3.ProtocolConfiguration",
  "envoy.service.ext_proc.v3.ProtocolConfiguration":
    "1 requestBodyMode int32|2 responseBodyMode int32|3 sendBodyWithoutWaitingForHeaderResponse flag",
  "envoy.type.v3.SemanticVersion": "1 majorNumber uint32|2 minorNumber uint32|3 patch uint32",
  "google.protobuf.Any": "1 type_url string|2 value bytes",
  "google.protobuf.Duration": "1 seconds long|2 nanos int32",
  "google.protobuf.ListValue": "1 values google.protobuf.Value[]",
  "google.protobuf.Struct": "1 fields google.protobuf.Value{}",
  "google.protobuf.Timestamp": "1 seconds long|2 nanos int32",
  "google.protobuf.UInt32Value": "1 value uint32",
  "google.protobuf.Value":
    "1 nullValue int32|2 numberValue double|3 stringValue string|4 boolValue flag|5 structValue google.protobuf.Struct|6 listValue google.protobuf.ListValue",
  "xds.core.v3.ContextParams": "1 params string{}",
};
