/**
 * The model, for every component. The sign-in page does not wait for it: it is small and first, and what it asks for is
 * done as soon as the model is there.
 */
import { createContext, useContext, type Accessor } from 'solid-js';
import type { Chat } from '../model';

export const ChatContext = createContext<Chat>();

/** The model of this tab. */
export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (!chat) throw new Error('outside of the page');
  return chat;
}

/** The model, on its way. */
export interface Arriving {
  /** Undefined until it is loaded. */
  readonly now: Accessor<Chat | undefined>;
  readonly ready: Promise<Chat>;
}

export const ArrivingContext = createContext<Arriving>();

/** The model for pages that are shown before it. */
export function useArriving(): Arriving {
  const arriving = useContext(ArrivingContext);
  if (!arriving) throw new Error('outside of the page');
  return arriving;
}
