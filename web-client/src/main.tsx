import { render } from 'solid-js/web';
import { createChat } from './model';
import './style/tokens.css';
import './style/base.css';
import './style/pages.css';
import { App } from './view/App';
import { ChatContext } from './view/chat';

const root = document.getElementById('root');
if (!root) throw new Error('index.html has no #root');

const chat = createChat();
void chat.loadServer();

render(
  () => (
    <ChatContext.Provider value={chat}>
      <App />
    </ChatContext.Provider>
  ),
  root,
);
