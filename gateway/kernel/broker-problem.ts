/** Why a broker cannot be reached, in words that say where to look. */

/** MQTT 3.1.1 return codes 4 and 5, MQTT 5 reason codes 134 and 135: bad user name or password, not authorised. */
const REFUSED = [4, 5, 134, 135]

/** @param name the link's name or the broker's address, as the reader knows it */
export function brokerProblem(name: string, error: Error & { code?: string | number }): string {
  const { code } = error
  if (code === 'ECONNREFUSED') return `${name}: refused; is the broker running, and is the port right?`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `${name}: the broker's name cannot be resolved`
  if (typeof code === 'number' && REFUSED.includes(code)) return `${name}: the broker does not accept the user name or password`
  return `${name}: ${error.message || code || 'connection failed'}`
}
