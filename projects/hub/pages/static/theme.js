// Before the page is drawn: the theme that was chosen here, and that scripts run.
(function () {
  var root = document.documentElement;
  root.classList.add("js");
  try {
    var theme = localStorage.getItem("topgallant.theme");
    if (theme === "dark" || theme === "light") root.dataset.theme = theme;
  } catch (error) { /* no storage: the system's theme */ }
})();
