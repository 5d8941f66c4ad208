/**
 * Brings what the tests need from Debian and npm cannot bring: run by `npm test`. Installs it where that is allowed (root and
 * apt-get there), says plainly what to install where it isn't. Nothing is skipped silently.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const NEEDED = [
  { program: 'mosquitto', package: 'mosquitto', why: 'the external broker of the broker tests' },
  { program: 'mosquitto_sub', package: 'mosquitto-clients', why: 'looking at events as a central system does' },
  { program: 'nats-server', package: 'nats-server', why: 'the central broker of a small fleet of gates' },
  { program: 'openssl', package: 'openssl', why: 'certificates of the TLS tests' },
  { program: 'socat', package: 'socat', why: 'pseudo-terminals for the serial tests' },
]

function found(program: string): boolean {
  const dirs = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/usr/local/sbin', '/sbin']
  return dirs.some((d) => d !== '' && existsSync(`${d}/${program}`))
}

function run(command: string, args: string[]): boolean {
  // RUNLEVEL=1: Debian then does not start mosquitto as a service beside the tests.
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', RUNLEVEL: '1' }
  return spawnSync(command, args, { stdio: ['ignore', 'ignore', 'inherit'], env }).status === 0
}

const missing = NEEDED.filter((n) => !found(n.program))
if (missing.length > 0) {
  const packages = missing.map((m) => m.package)
  const mayInstall = process.getuid?.() === 0 && found('apt-get')
  if (mayInstall) {
    process.stdout.write(`installing from Debian for the tests: ${packages.join(' ')}\n`)
    run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', 'update', '-qq'])
    run('apt-get', ['-o', 'DPkg::Lock::Timeout=120', 'install', '-y', '-qq', '--no-install-recommends', ...packages])
  }
  const still = missing.filter((m) => !found(m.program))
  if (still.length > 0) {
    process.stderr.write('The tests need programs from the system that are not installed:\n')
    for (const m of still) process.stderr.write(`  ${m.program} (Debian package ${m.package}): ${m.why}\n`)
    process.stderr.write(`Install them with: sudo apt-get install ${still.map((m) => m.package).join(' ')}\n`)
    process.exit(1)
  }
}
