/** Asks for a password: typed without being shown, or the first line of standard input. Never from the command line, which others see. */
import { LuongError } from '../kernel/errors.ts'

/** As long as a secret in a file may be. */
const MAX_LENGTH = 4_096
const [ENTER, INTERRUPT, END, BACKSPACE, ERASE, CLEAR] = ['\r', '\u0003', '\u0004', '\u007f', '\b', '\u0015']

/**
 * @param prompt shown on a terminal
 * @throws BAD_USAGE when there is nothing, too much, or it was interrupted
 */
export async function askPassword(prompt: string): Promise<string> {
  const text = process.stdin.isTTY ? await typed(prompt) : await piped()
  if (text === '')
    throw new LuongError('BAD_USAGE', 'no password was given', { hint: 'Type it when asked, or give it on standard input, on one line.' })
  return text
}

/** Twice on a terminal, so that a slip of the finger is found. @throws BAD_USAGE as above, or when they differ */
export async function askNewPassword(): Promise<string> {
  const text = await askPassword('Password: ')
  if (process.stdin.isTTY && (await askPassword('Again: ')) !== text)
    throw new LuongError('BAD_USAGE', 'the two passwords differ', { hint: 'Start again.' })
  return text
}

const tooLong = () =>
  new LuongError('BAD_USAGE', 'the password is too long', {
    hint: `At most ${MAX_LENGTH} characters, on the first line of standard input.`,
  })

async function piped(): Promise<string> {
  let text = ''
  for await (const chunk of process.stdin.setEncoding('utf8')) {
    text += chunk
    if (text.includes('\n')) break
    if (text.length > MAX_LENGTH) throw tooLong()
  }
  const [line = ''] = text.split(/\r?\n/)
  if (line.length > MAX_LENGTH) throw tooLong()
  return line
}

function typed(prompt: string): Promise<string> {
  const { stdin, stderr } = process
  stderr.write(prompt)
  stdin.setRawMode(true).setEncoding('utf8').resume()
  return new Promise<string>((done, fail) => {
    let text = ''
    const end = (settle: () => void) => {
      stdin.off('data', hear).setRawMode(false).pause()
      stderr.write('\n')
      settle()
    }
    const hear = (chunk: string) => {
      for (const c of chunk) {
        if (c === ENTER || c === '\n' || c === END) return end(() => done(text))
        if (c === INTERRUPT) return end(() => fail(new LuongError('BAD_USAGE', 'interrupted', { hint: 'Nothing was done.' })))
        if (c === BACKSPACE || c === ERASE) text = [...text].slice(0, -1).join('')
        else if (c === CLEAR) text = ''
        else if (c >= ' ' && text.length < MAX_LENGTH) text += c
      }
    }
    stdin.on('data', hear)
  })
}
