// Runs before the first paint: the theme and the language that were chosen on this device, else what the system says.
(() => {
  const root = document.documentElement;
  const kept = (name) => {
    try {
      return localStorage.getItem(name);
    } catch {
      return null;
    }
  };
  const theme = kept('hubbub.theme');
  if (theme === 'light' || theme === 'dark') root.dataset.theme = theme;
  const language = kept('hubbub.language') ?? (navigator.languages.find((one) => /^(en|zh)\b/.test(one)) ?? 'en').slice(0, 2);
  root.lang = language === 'zh' ? 'zh' : 'en';
})();
