/**
 * The few things that need a script besides htmx: copying a text, printing, asking before something that cannot be
 * undone, picking from a long list of ticks, sending a form at once, following a link at once, and counting down to a deadline.
 * Everything else works without.
 */
;(() => {
  const COPIED_MS = 2_000

  const showButtons = (root) => {
    // Browsers give the clipboard to https and to this machine alone.
    const shown = navigator.clipboard === undefined ? "[data-print]" : "[data-copy], [data-print]"
    for (const button of root.querySelectorAll(shown)) button.hidden = false
  }

  const copy = async (button) => {
    const source = document.getElementById(button.dataset.copy)
    const label = button.querySelector("span")
    if (source === null || label === null) return
    await navigator.clipboard.writeText(source.textContent)
    const said = label.textContent
    label.textContent = button.dataset.copied
    setTimeout(() => {
      label.textContent = said
    }, COPIED_MS)
  }

  const ticksBeside = (part) => [...part.closest("fieldset").querySelectorAll("label:has(> input[type=checkbox])")]

  /** A long list of ticks is narrowed to those that contain a text; what is not shown stays as it is. */
  const narrow = (box) => {
    const wanted = box.value.trim().toLowerCase()
    for (const label of ticksBeside(box)) label.hidden = !label.textContent.toLowerCase().includes(wanted)
  }

  const pick = (button) => {
    const isAll = button.dataset.pick === "all"
    for (const label of ticksBeside(button)) if (!label.hidden) label.querySelector("input").checked = isAll
  }

  for (const picking of document.querySelectorAll("[data-picking]")) picking.hidden = false
  document.addEventListener("input", (event) => {
    if (event.target.closest("[data-picking]") !== null) narrow(event.target)
  })
  document.addEventListener("keydown", (event) => {
    // Enter in the box would send the form.
    if (event.key === "Enter" && event.target.closest("[data-picking] input") !== null) event.preventDefault()
  })

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy]")
    if (button !== null) void copy(button)
    const picked = event.target.closest("[data-pick]")
    if (picked !== null) pick(picked)
    if (event.target.closest("[data-print]") !== null) window.print()
  })

  document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm
    if (question !== undefined && !window.confirm(question)) {
      event.preventDefault()
      return
    }
    // A second click must not send it again while the answer is on its way.
    for (const button of event.target.querySelectorAll("button[type=submit]")) {
      setTimeout(() => {
        button.disabled = true
      })
    }
  })

  // A page that is shown again from the browser's memory must not keep its buttons disabled.
  window.addEventListener("pageshow", (event) => {
    if (event.persisted) for (const button of document.querySelectorAll("button[disabled]")) button.disabled = false
  })

  // By the time that the answer came with, not by this browser's clock, which may be wrong. An answer may bring another one.
  const ends = new WeakMap()
  const padded = (count) => String(count).padStart(2, "0")
  const countDown = () => {
    for (const shown of document.querySelectorAll("[data-seconds-left]")) {
      const end = ends.get(shown) ?? performance.now() + Number(shown.dataset.secondsLeft) * 1_000
      ends.set(shown, end)
      const left = Math.max(0, Math.round((end - performance.now()) / 1_000))
      const [hours, minutes, seconds] = [Math.floor(left / 3_600), Math.floor(left / 60) % 60, left % 60]
      shown.textContent = `${hours === 0 ? "" : `${hours}:`}${hours === 0 ? minutes : padded(minutes)}:${padded(seconds)}`
      shown.hidden = false
    }
  }
  if (document.querySelector("[data-seconds-left]") !== null) {
    countDown()
    setInterval(countDown, 1_000)
  }

  showButtons(document)
  // Once, when the browser has just said in which zone times are to be read.
  if (document.documentElement.dataset.zoneSaid === "now" && document.querySelector("time") !== null) location.reload()
  document.querySelector("form[data-send]")?.submit()
  document.querySelector("a[data-follow]")?.click()
})()
