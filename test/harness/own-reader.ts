/** The plate reader with its real models, open for all tests of one file. */
import { afterAll, beforeAll } from 'vitest'
import type { PlateReader } from '../../models/plate.ts'
import { OnnxPlateReader } from '../../models/reader.ts'

/** Call at the top of a file: opens before its tests and closes after them. */
export function ownReader(): Pick<PlateReader, 'read'> {
  let reader: OnnxPlateReader
  beforeAll(async () => {
    reader = await OnnxPlateReader.open()
  })
  afterAll(() => reader.close())
  return { read: (image, options) => reader.read(image, options) }
}
