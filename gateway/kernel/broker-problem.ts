/** Why a broker cannot be reached, in words that say where to look. */

/** MQTT 3.1.1 return codes 4 and 5, MQTT 5 reason codes 134 and 135: bad user name or password, not authorised. */
const REFUSED = [4, 5, 134, 135]

/** @param name the link's name or the broker's address, as the reader knows it */
export function brokerProblem(name: string, error: Error & { code?: string | number }): string {
  const { code } = error
  if (code === 'ECONNREFUSED') return `${name}: refused; is the broker running, and is the port right?`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `${name}: the broker's name cannot be resolved`
  if (typeof code === 'number' && REFUSED.includes(code)) return `${name}: the broker does not accept the user name or password`
  const tls = typeof code === 'string' ? tlsProblem(code, error) : undefined
  if (tls) return `${name}: ${tls}`
  return `${name}: ${error.message || code || 'connection failed'}`
}

const UNTRUSTED = 'is not signed by an authority that we trust; set tls.ca to the certificate of the authority that signed it'

/** OpenSSL's and Node.js's codes: https://nodejs.org/api/tls.html#x509-certificate-error-codes, and alerts of RFC 8446 6.2. */
const TLS: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: `its certificate ${UNTRUSTED}`,
  UNABLE_TO_GET_ISSUER_CERT: `its certificate ${UNTRUSTED}`,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: `its certificate ${UNTRUSTED}`,
  SELF_SIGNED_CERT_IN_CHAIN: `its certificate ${UNTRUSTED}`,
  DEPTH_ZERO_SELF_SIGNED_CERT: `its certificate ${UNTRUSTED}`,
  CERT_SIGNATURE_FAILURE: `its certificate ${UNTRUSTED}`,
  CERT_HAS_EXPIRED: 'its certificate, or that of its authority, has expired; renew it there (and see that our clock is right)',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet; is the clock of this machine right?',
  CERT_REVOKED: 'its certificate was revoked',
  EPROTO: 'it does not speak TLS on this port; is it the plain one (1883 instead of 8883)?',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on this port; is it the plain one (1883 instead of 8883)?',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS on this port; is it the plain one (1883 instead of 8883)?',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'it speaks only TLS versions that are too old',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'it speaks no TLS version that we do',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'it asks for a client certificate; set tls.cert and tls.key',
  ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE: 'it refuses the handshake; does it ask for a client certificate (tls.cert, tls.key)?',
  'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE': 'it refuses the handshake; does it ask for a client certificate (tls.cert, tls.key)?',
}

/** An alert about our own certificate: the broker does not say more than this. */
const OURS =
  /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|CERTIFICATE_EXPIRED|CERTIFICATE_REVOKED|CERTIFICATE_UNKNOWN|UNSUPPORTED_CERTIFICATE|DECRYPT_ERROR)/

function tlsProblem(code: string, error: Error): string | undefined {
  if (code === 'ECONNRESET' && /before secure TLS/.test(error.message))
    return 'it closed the connection instead of speaking TLS; is it the plain port (1883 instead of 8883), or is it overloaded?'
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const cert = 'cert' in error ? (error.cert as { subjectaltname?: string } | undefined) : undefined
    const names = cert?.subjectaltname ? `is for ${cert.subjectaltname.slice(0, 200)}` : 'has no name of a host (subjectAltName)'
    return `its certificate ${names}, which is not the name in the url; use that name, or set tls.servername`
  }
  const alert = OURS.exec(code)?.[1]
  if (alert)
    return `it does not accept our certificate (${alert.toLowerCase().replaceAll('_', ' ')}); see tls.cert, and its authority there`
  return TLS[code]
}
