// Runs before the first paint, so that a page chosen to be dark never flashes light.
(function () {
  var asked = new URLSearchParams(location.search).get("theme");
  var kept = null;
  try {
    kept = localStorage.getItem("retrace-theme");
  } catch (refused) {
    // Storage is refused in some frames: the system's theme holds.
  }
  var theme = asked || kept;
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
})();
