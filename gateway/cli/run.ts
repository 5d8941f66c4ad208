/** `luong run SITE.yaml`: a real site. SIGTERM and SIGINT finish what moves, then stop; SIGHUP reads the files again. */
import type { Command } from 'commander'
import { loadSite } from '../../config/load.ts'
import { messageOf } from '../kernel/errors.ts'
import { ProblemsError, problemLine } from '../kernel/problems.ts'
import { createLogger } from '../site/logger.ts'
import { startReaders } from '../site/readers.ts'
import { LEVELS, level } from './options.ts'

export function run(program: Command): void {
  program
    .command('run')
    .description('run a site on real hardware (SIGTERM: finish what moves, then stop; SIGHUP: reload)')
    .argument('<site>', 'site file, e.g. config/sites/kim-thanh.yaml')
    .option('--data <dir>', 'data folder; default: data.dir of the site file')
    .option('--log <level>', `log level: ${LEVELS.join(', ')}`, level, 'info')
    .option('--json', 'log as JSON lines even on a terminal')
    .action(async (file: string, options: { data?: string; log: (typeof LEVELS)[number]; json?: boolean }) => {
      const loaded = await loadSite(file)
      const log = createLogger({ level: options.log, pretty: process.stderr.isTTY === true && !options.json })
      for (const w of loaded.warnings) log.warn({}, problemLine(w))
      // The rest of the program is read while the models load.
      const pool = startReaders(loaded.site.plates, log)
      const { Gateway } = await import('../site/gateway.ts')
      const gateway = new Gateway({ loaded, dataDir: options.data ?? loaded.site.data.dir, log, pool })
      const asked = new Promise<string>((resolve) => {
        for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve(signal))
      })
      process.on('SIGHUP', () => {
        gateway.reload().then(
          (restart) => {
            if (restart.length > 0) log.warn({ keys: restart }, 'these changes take effect only after a restart')
          },
          (error: unknown) => {
            const lines = error instanceof ProblemsError ? error.problems.map(problemLine) : [messageOf(error)]
            log.error({ problems: lines }, 'the files were not taken: everything stays as it is')
          },
        )
      })
      void asked.then(() => gateway.hurry())
      await gateway.start()
      log.info(
        { site: loaded.site.site.id, broker: gateway.mqttUrl, http: gateway.httpPort, lanes: Object.keys(loaded.site.lanes) },
        'ready',
      )
      const signal = await asked
      log.info({ signal }, 'stopping')
      await gateway.drain()
      await gateway.stop()
      log.info({}, 'stopped')
    })
}
