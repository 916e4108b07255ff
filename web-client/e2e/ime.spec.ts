/** Input methods: an Enter that belongs to a composition never sends. */
import { expect, test } from './support/people';

test('composing never sends, under both orders of events', async ({ person }) => {
  const ann = await person('Ann');
  await ann.createRoom(`ime ${ann.username}`);
  await ann.composer.focus();
  const devtools = await ann.context.newCDPSession(ann.page);
  const compose = (text: string): Promise<unknown> =>
    devtools.send('Input.imeSetComposition', { text, selectionStart: text.length, selectionEnd: text.length });
  const enter = (keyCode: number): Promise<unknown> =>
    devtools.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', key: 'Enter', code: 'Enter', windowsVirtualKeyCode: keyCode });

  await compose('ni');
  await compose('nihao');
  await enter(229); // the key goes to the input method, then it ends the composition
  await devtools.send('Input.insertText', { text: '你好' });
  await expect(ann.composer).toHaveValue('你好');
  await expect(ann.timeline.getByRole('article')).toHaveCount(0);

  // The other order: the composition has ended when the Enter that ended it arrives, in the same task.
  await ann.composer.evaluate((area: HTMLTextAreaElement) => {
    area.dispatchEvent(new CompositionEvent('compositionstart', { bubbles: true }));
    area.dispatchEvent(new CompositionEvent('compositionend', { bubbles: true, data: '吗' }));
    area.dispatchEvent(new KeyboardEvent('keydown', { key: 'Enter', bubbles: true, cancelable: true }));
  });
  await expect(ann.timeline.getByRole('article')).toHaveCount(0);

  await ann.page.keyboard.press('Enter');
  await expect(ann.message('你好')).toHaveCount(1);
  await expect(ann.composer).toHaveValue('');
});

test('Shift + Enter breaks the line, Enter in an open code block too', async ({ person }) => {
  const ann = await person('Ann');
  await ann.createRoom(`lines ${ann.username}`);
  await ann.composer.pressSequentially('one');
  await ann.composer.press('Shift+Enter');
  await ann.composer.pressSequentially('two');
  await expect(ann.composer).toHaveValue('one\ntwo');
  await ann.composer.fill('```\ncode');
  await ann.composer.press('Enter');
  await expect(ann.composer).toHaveValue('```\ncode\n');
  await ann.composer.pressSequentially('```');
  await ann.composer.press('Enter');
  await expect(ann.timeline.locator('pre')).toHaveText('code');
});
