export type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold'

/** Puts a text in a colour, or leaves it as it is. */
export type Paint = (colour: Colour, text: string) => string

const codes: Readonly<Record<Colour, number>> = { red: 31, yellow: 33, green: 32, dim: 2, bold: 1 }

export const plain: Paint = (_, text) => text

export const ansi: Paint = (colour, text) => `\u001B[${codes[colour]}m${text}\u001B[0m`
