/**
 * What compiled components import: Solid's own runtime with one function of ours. Solid builds each component's skeleton
 * from a string that the compiler wrote; the page's policy refuses strings as HTML except through this one named rule,
 * which nothing else can reach.
 */
import { untrack } from 'solid-js';

export * from 'solid-js/web';

interface TemplateRule {
  createHTML(html: string): string;
}
interface TrustedTypes {
  createPolicy(name: string, rule: TemplateRule): TemplateRule;
}

const rule: TemplateRule = { createHTML: (html) => html };
const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
const policy = trustedTypes?.createPolicy('hubbub-templates', rule) ?? rule;

function built(html: string, isSVG: boolean): Node {
  const holder = document.createElement('template');
  holder.innerHTML = policy.createHTML(html);
  const first = holder.content.firstChild;
  const node = isSVG ? first?.firstChild : first;
  if (!node) throw new Error('an empty template');
  return node;
}

/** Replaces Solid's `template`: makes nodes of a compiled skeleton, parsed once. */
export function template(html: string, isImportNode?: boolean, isSVG?: boolean): () => Node {
  let node: Node | undefined;
  const original = () => (node ??= built(html, isSVG === true));
  if (isImportNode) return () => untrack(() => document.importNode(original(), true));
  return () => original().cloneNode(true);
}
