/** Pictures per second and core of the plate reader, on drawn scenes of camera size; with `--pictures DIR` on pictures of one's own. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { OnnxPlateReader } from '../../models/reader.ts'
import { frame, HD, still } from '../sim/draw/picture.ts'
import { rng } from '../sim/random.ts'
import { frontPlate } from '../sim/truck.ts'
import { type BenchOptions, inWords, median, ms, type Report, type Row, spread } from './report.ts'

interface Sample {
  readonly image: Uint8Array
  /** What is on the plate; unknown for pictures of one's own. */
  readonly text: string | null
}

export async function plates(o: BenchOptions): Promise<Report> {
  const frames = o.number('frames', 40)
  const runs = o.number('runs', 3)
  const folder = o.text('pictures')
  const samples = folder === undefined ? await drawn(frames) : await own(folder, frames)
  const reader = await OnnxPlateReader.open()
  await reader.read(samples[0]!.image)
  const walls: number[] = []
  const parts = { decode: [] as number[], detect: [] as number[], read: [] as number[] }
  const perCore: number[] = []
  let [right, accepted, wrong] = [0, 0, 0]
  for (let run = 0; run < runs; run++) {
    const cpu = process.cpuUsage()
    for (const { image, text } of samples) {
      const since = performance.now()
      const { plates: found, ms: took } = await reader.read(image)
      walls.push(performance.now() - since)
      for (const part of ['decode', 'detect', 'read'] as const) parts[part].push(took[part])
      if (run > 0 || text === null) continue
      if (found[0]?.text === text) right++
      if (found[0]?.accepted) accepted++
      if (found[0]?.accepted && found[0].text !== text) wrong++
    }
    const used = process.cpuUsage(cpu)
    perCore.push(samples.length / ((used.user + used.system) / 1e6))
  }
  await reader.close()
  const rows: Row[] = [
    { what: 'one picture', value: inWords(spread(walls)), note: 'wall clock' },
    { what: '  decode', value: ms(median(parts.decode)) },
    { what: '  detect', value: ms(median(parts.detect)) },
    { what: '  read', value: ms(median(parts.read)) },
    { what: 'a core', value: `${median(perCore).toFixed(1)} pictures/s`, note: 'of CPU time, whatever else runs on the machine' },
    ...(folder === undefined
      ? [{ what: 'drawn plates', value: `${right} of ${samples.length} right, ${accepted} sure, ${wrong} of them wrong` }]
      : []),
  ]
  return {
    bench: 'plates',
    title: `plate reader, ${folder === undefined ? `drawn ${HD.width}×${HD.height} scenes` : folder}`,
    command: `npm run bench -- plates --frames ${frames} --runs ${runs}`,
    rows,
    data: {
      wall: spread(walls),
      parts: { decode: median(parts.decode), detect: median(parts.detect), read: median(parts.read) },
      perCore: median(perCore),
      right,
      accepted,
      wrong,
      frames: samples.length,
    },
  }
}

async function drawn(count: number): Promise<Sample[]> {
  const r = rng('bench plates')
  const samples: Sample[] = []
  for (let i = 0; i < count; i++) {
    const plate = frontPlate(i % 3 === 0 ? 'cn' : 'vn', r)
    const picture = await still({ plate, side: 'front', night: i % 5 === 4 }, `bench ${i}`, HD)
    samples.push({ image: await frame(picture, `bench ${i}`), text: plate.text })
  }
  return samples
}

async function own(folder: string, count: number): Promise<Sample[]> {
  const names = (await readdir(folder, { recursive: true })).filter((n) => /\.(jpe?g|png|webp)$/i.test(n)).sort()
  const step = Math.max(1, Math.floor(names.length / count))
  const chosen = names.filter((_, i) => i % step === 0).slice(0, count)
  return Promise.all(chosen.map(async (name) => ({ image: await readFile(join(folder, name)), text: null })))
}
