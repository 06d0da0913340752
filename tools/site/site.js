// Lets the page work without a network from its second visit on.

if ("serviceWorker" in navigator) {
  const { serviceWorker } = navigator;
  await serviceWorker.register(new URL("sw.js", import.meta.url)).catch(() => {});
}
