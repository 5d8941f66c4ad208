/** Texts that vehicles and pictures bear and that are no plates, with random numbers. */
import fc from 'fast-check'
import { normalisePlate, parsePlate } from '../../models/grammar/grammar.ts'

type Lines = readonly string[]

const digits = (n: number) => fc.nat(10 ** n - 1).map((v) => String(v).padStart(n, '0'))
const letters = (n: number) => fc.string({ unit: fc.constantFrom(...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'), minLength: n, maxLength: n })
const oneOf = <T extends string>(...words: T[]) => fc.constantFrom(...words)
const two = (from: number, to: number) => fc.integer({ min: from, max: to }).map((v) => String(v).padStart(2, '0'))
/** A text with its gaps filled in. */
const filled = (parts: TemplateStringsArray, ...gaps: fc.Arbitrary<string>[]): fc.Arbitrary<string> =>
  fc.tuple(...gaps).map((values) => String.raw({ raw: parts }, ...values))
/** Some of these lines. */
const some = (...lines: fc.Arbitrary<string>[]): fc.Arbitrary<Lines> =>
  fc.subarray(lines, { minLength: 1, maxLength: 3 }).chain((chosen) => fc.tuple(...chosen))

/** ISO 6346: owner, serial number, check digit; size and type; weights. */
const owner = oneOf('MSKU', 'TCLU', 'CMAU', 'HLXU', 'OOLU', 'TEMU', 'GESU', 'EITU', 'ZIMU', 'SITU', 'TTNU', 'TLLU', 'BMOU', 'TRHZ')
const code = filled`${owner} ${digits(6)} ${digits(1)}`
const type = oneOf('22G1', '45G1', '42G1', '22R1', '45R1', '22U1', 'L5G1', '22T6')
const container: fc.Arbitrary<Lines> = fc.oneof(
  fc.tuple(code),
  fc.tuple(code, type),
  fc.tuple(owner, digits(6)),
  fc.tuple(owner, filled`${digits(6)} ${digits(1)}`),
  fc.tuple(owner, filled`${digits(6)} ${digits(1)}`, type),
  some(
    filled`MAX GROSS ${digits(5)} KG`,
    filled`TARE ${digits(4)} KG`,
    filled`NET ${digits(5)} KG`,
    filled`CU.CAP. ${digits(2)}.${digits(1)} CU.M`,
    type,
  ),
)

const phone = fc.oneof(
  filled`09${digits(2)}.${digits(3)}.${digits(3)}`,
  filled`0${oneOf('2', '8', '9', '3')}${digits(2)} ${digits(3)} ${digits(3)}`,
  filled`ĐT: 0214.3${digits(3)}.${digits(3)}`,
  filled`0873-${digits(7)}`,
  filled`138${digits(8)}`,
)
const vietnamese = some(
  oneOf('CÔNG TY TNHH VẬN TẢI HOÀNG LONG', 'CÔNG TY CP XNK LÀO CAI', 'HTX VẬN TẢI SỐ 1', 'DNTN ĐỨC THỊNH', 'VẬN TẢI BẮC NAM'),
  filled`KLCC ${two(1, 29)}.${oneOf('000', '500', '750')} KG`,
  filled`KLBT ${two(5, 19)}.${digits(3)} KG`,
  filled`KLHH ${two(5, 29)}${digits(3)}KG`,
  filled`KLTB ${two(10, 48)}.${digits(3)} KG`,
  filled`SỐ NGƯỜI: 0${oneOf('2', '3')}`,
  filled`ĐC: SỐ ${digits(2)} PHỐ MỚI - LÀO CAI`,
  phone,
)
const chinese = some(
  filled`核定载质量 ${two(5, 40)}吨`,
  filled`总质量 ${two(10, 49)}000KG`,
  filled`整备质量 ${digits(4)}KG`,
  oneOf('中国物流', '云南红河物流有限公司', '昆明国际货运', '河口口岸运输', '粤海冷链', '京东快运', '新疆棉'),
  oneOf('严禁超载', '限速80', '禁止吸烟', '大吨小标', '危险品'),
  filled`限载 ${digits(2)}T`,
  filled`电话 ${phone}`,
)
const fleet = fc.oneof(
  filled`${letters(1)}-${digits(2)}`,
  digits(4),
  filled`${letters(2)}-${digits(3)}`,
  filled`XE ${digits(2)}`,
  filled`SỐ ${digits(3)}`,
  filled`${digits(2)}${letters(1)}`,
  filled`${letters(2)} ${digits(5)}`,
  filled`${letters(1)}${digits(5)}`,
  filled`${oneOf('云', '京', '红河', '昆')}${digits(3)}`,
)
const clock = filled`${two(0, 23)}:${two(0, 59)}:${two(0, 59)}`
const stamp: fc.Arbitrary<Lines> = fc.oneof(
  fc.tuple(filled`20${two(20, 29)}-${two(1, 12)}-${two(1, 28)} ${clock}`),
  fc.tuple(filled`${two(1, 28)}/${two(1, 12)}/20${two(20, 29)} ${clock}`),
  fc.tuple(filled`${two(1, 28)}/${two(1, 12)}/20${two(20, 29)}`, clock),
  fc.tuple(filled`20${two(20, 29)}年${two(1, 12)}月${two(1, 28)}日 ${clock}`),
  fc.tuple(filled`CAM ${two(1, 12)}`, filled`${two(1, 28)}-${two(1, 12)}-20${two(20, 29)}`),
)
const sticker = some(
  filled`${two(1, 12)}/20${two(26, 29)}`,
  filled`ĐĂNG KIỂM ${two(1, 12)}-${two(26, 29)}`,
  filled`${digits(4)}V-${digits(6)}`,
  filled`国${oneOf('IV', 'V', 'VI')}`,
  filled`检 ${two(1, 12)} 20${two(26, 29)}`,
  oneOf('80', '60 KM/H', 'GPS', 'ETC', 'EURO 5'),
)
const axles = fc.oneof(
  filled`${two(5, 7)}.${digits(3)} + ${two(8, 10)}.${digits(3)} + ${two(8, 10)}.${digits(3)}`,
  filled`${two(2, 5)} x ${two(8, 12)}.000 KG`,
  filled`TRỤC ${oneOf('2', '3')}: ${two(8, 18)}T`,
  filled`${two(5, 7)}T ${two(8, 18)}T ${two(18, 24)}T`,
  filled`轴荷 ${two(5, 10)}${digits(3)}/${two(10, 18)}${digits(3)}KG`,
)
const one = (line: fc.Arbitrary<string>): fc.Arbitrary<Lines> => fc.tuple(line)

/** Lines of text, upper first. */
export const signs = fc.oneof(container, vietnamese, chinese, one(fleet), stamp, sticker, one(axles), one(phone))

export const watermarks = one(
  oneOf('WWW.PLATESMANIA.COM', 'platesmania.com/vn', 'PHOTO: XE-TAI.VN 2026', 'OTO-HUI.COM', 'shutterstock 1203', '图虫网 51auto.com'),
)

/** Whether any of its words, or several in a row, are a plate's text: then a reader that reads them is right. */
export function saysPlate(lines: Lines): boolean {
  const words = lines.flatMap((line) => line.split(' '))
  return words.some((_, i) => words.slice(i).some((_, n) => parsePlate(normalisePlate(words.slice(i, i + n + 1).join(''))) !== null))
}
