import { beforeEach, expect, it } from 'vitest'

import { asksForKey, forgetTrouble, keyTrouble, noteRefused, noteTaken } from './access.ts'

beforeEach(forgetTrouble)

it('tells a key that never counted from one that counts no longer', () => {
  noteRefused(true)
  expect(keyTrouble.value).toBe('refused')
  forgetTrouble()
  noteTaken()
  noteRefused(true)
  expect(keyTrouble.value).toBe('ended')
})

it('asks for a key where there is none', () => {
  noteRefused(false)
  expect(keyTrouble.value).toBe('needed')
  expect(asksForKey.value).toBe(true)
})

it('does not ask again, refusal after refusal, when the question was put aside', () => {
  noteRefused(true)
  asksForKey.value = false
  noteRefused(true)
  expect(asksForKey.value).toBe(false)
  expect(keyTrouble.value).toBe('refused')
})

it('asks no more once the gateway answers, and leaves a dialog alone that was opened without trouble', () => {
  noteRefused(true)
  noteTaken()
  expect(keyTrouble.value).toBeUndefined()
  expect(asksForKey.value).toBe(false)
  asksForKey.value = true
  noteTaken()
  expect(asksForKey.value).toBe(true)
})
