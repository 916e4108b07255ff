import { createSignal } from 'solid-js';
import { render } from 'solid-js/web';
import type { Chat } from './model';
import './style/tokens.css';
import './style/base.css';
import { App, preloadPage } from './view/App';
import { ArrivingContext } from './view/chat';
import { loadWords } from './words';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

const [now, setNow] = createSignal<Chat>();
const ready = import('./model').then(({ createChat }) => {
  const chat = createChat();
  void chat.loadServer();
  setNow(() => chat);
  return chat;
});

// Nothing can be said before the words are there; they, the page and the model come at the same time.
preloadPage();
await loadWords();
render(
  () => (
    <ArrivingContext.Provider value={{ now, ready }}>
      <App />
    </ArrivingContext.Provider>
  ),
  root,
);
