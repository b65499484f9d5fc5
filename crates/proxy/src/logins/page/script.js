
(() => {
  // The token of the link stands behind `#`: it is taken from there and sent as a form.
  const token = document.querySelector('input[name=token]');
  const hash = location.hash.slice(1);
  if (token && hash) {
    history.replaceState(null, '', location.pathname);
    token.value = hash;
    if (!document.querySelector('select')) token.form.submit();
  }
  const { state, left } = document.body.dataset;
  if (!['busy', 'browser', 'device'].includes(state)) return;
  const clock = document.querySelector('#left');
  const end = Date.now() + Number(left || 0) * 1000;
  if (clock) setInterval(() => {
    const seconds = Math.max(0, Math.round((end - Date.now()) / 1000));
    clock.textContent = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
  }, 1000);
  const look = async () => {
    try {
      const answer = await fetch(location.pathname, { headers: { accept: 'application/json' } });
      const now = await answer.json();
      if (now.state !== state) return location.reload();
    } catch { /* byok is not reached now; the next look may tell more */ }
    setTimeout(look, 1500);
  };
  setTimeout(look, 1500);
})();
