/** Whether an MQTT topic fits a filter with + and # (MQTT 3.1.1, 4.7): wildcards never match topics that begin with $. */
export function topicMatches(filter: string, topic: string): boolean {
  const f = filter.split('/')
  const t = topic.split('/')
  if (topic.startsWith('$') && (f[0] === '+' || f[0] === '#')) return false
  for (let i = 0; i < f.length; i++) {
    if (f[i] === '#') return i === f.length - 1
    if (i >= t.length) return false
    if (f[i] !== '+' && f[i] !== t[i]) return false
  }
  return f.length === t.length
}

/** Whether `filter` is well formed: + and # stand alone in their level, # only at the end. */
export function validFilter(filter: string): boolean {
  if (filter === '') return false
  const levels = filter.split('/')
  return levels.every((level, i) => {
    if (level === '+') return true
    if (level === '#') return i === levels.length - 1
    return !/[+#\0]/.test(level)
  })
}
