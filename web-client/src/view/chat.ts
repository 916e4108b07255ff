/** The model, for every component below the page. */
import { createContext, useContext } from 'solid-js';
import type { Chat } from '../model';

export const ChatContext = createContext<Chat>();

/** The model of this tab. */
export function useChat(): Chat {
  const chat = useContext(ChatContext);
  if (!chat) throw new Error('outside of the page');
  return chat;
}
