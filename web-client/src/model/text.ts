// under construction: the shape of a parsed text.

/** A run of text inside a block. */
export type Inline =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'strong' | 'em' | 'strike'; readonly children: readonly Inline[] }
  | { readonly type: 'code'; readonly text: string }
  /** `href` is http, https or mailto; `bare` when the text is the address itself. */
  | { readonly type: 'link'; readonly href: string; readonly bare: boolean; readonly children: readonly Inline[] }
  /** `@username`, lower case, without the sign. */
  | { readonly type: 'mention'; readonly username: string; readonly text: string }
  | { readonly type: 'break' };

/** A block of a text. */
export type Block =
  | { readonly type: 'paragraph'; readonly children: readonly Inline[] }
  | { readonly type: 'code'; readonly language: string; readonly text: string }
  | { readonly type: 'quote'; readonly children: readonly Block[] }
  | { readonly type: 'list'; readonly ordered: boolean; readonly start: number; readonly items: readonly (readonly Block[])[] };

/** Parses a message's text; linear in its length. */
export function parseText(text: string): readonly Block[] {
  return [{ type: 'paragraph', children: [{ type: 'text', text }] }];
}

/** The text without marks, in one line, for previews and readers. */
export function plainText(text: string): string {
  return text.replace(/\s+/g, ' ').trim();
}
