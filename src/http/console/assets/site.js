/**
 * The few things that need a script besides htmx: copying a text, printing, asking before something that cannot be
 * undone, picking from a long list of ticks, showing where one is in a long navigation, saying what the bars of a chart
 * stand for, sending a form at once, following a link at once, counting down to a deadline, and asking the browser for a
 * passkey. Everything else works without.
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

  const bytesOf = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0))
  const textOfBytes = (bytes) =>
    btoa(String.fromCharCode(...new Uint8Array(bytes))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")
  const handlesOf = (listed) => (listed ?? []).map(({ id, transports, type }) => ({ id: bytesOf(id), transports, type }))

  /** What an authenticator answers, as the server reads it: its binary parts in base64url. */
  const answerOf = ({ id, rawId, response, type }) => {
    const said = { clientDataJSON: textOfBytes(response.clientDataJSON) }
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (response[name]) said[name] = textOfBytes(response[name])
    }
    if (response.attestationObject !== undefined) {
      delete said.authenticatorData
      said.transports = response.getTransports?.() ?? []
    }
    return { id, rawId: textOfBytes(rawId), type, response: said, clientExtensionResults: {} }
  }

  /** Asks for a passkey, new or known, and sends the form with it. */
  const usePasskey = async (button) => {
    const failed = button.parentElement.querySelector("[data-passkey-failed]")
    failed.hidden = true
    failed.classList.remove("d-block")
    const options = JSON.parse(button.dataset.options)
    options.challenge = bytesOf(options.challenge)
    options.allowCredentials = handlesOf(options.allowCredentials)
    options.excludeCredentials = handlesOf(options.excludeCredentials)
    if (options.user !== undefined) options.user.id = bytesOf(options.user.id)
    try {
      const credential = await navigator.credentials[button.dataset.passkey]({ publicKey: options })
      button.form.elements.passkey.value = JSON.stringify(answerOf(credential))
      button.form.submit()
    } catch {
      failed.hidden = false
      failed.classList.add("d-block")
    }
  }

  if (window.PublicKeyCredential !== undefined) {
    for (const box of document.querySelectorAll("[data-passkey-box]")) box.hidden = false
  }

  document.addEventListener("click", (event) => {
    const asked = event.target.closest("[data-passkey]")
    if (asked !== null) void usePasskey(asked)
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

  /** A bar of a chart is said by its item in the list below the picture, and chosen by a pointer or by arrow keys. */
  const readChart = (box) => {
    const tips = [...box.querySelectorAll(".chart-tips > li")]
    const [left, right, top, bottom] = box.dataset.bounds.split(" ").map(Number)
    const isRow = box.dataset.chart === "days"
    const band = document.createElement("div")
    const tip = document.createElement("div")
    band.className = "chart-band"
    tip.className = "chart-tip"
    band.hidden = tip.hidden = true
    box.append(band, tip)
    let at = tips.length - 1
    const textOf = (item) => [...item.children].map((part) => part.textContent.trim()).join(", ")

    /** Where the bars are as the picture is shown; undefined while it is not. */
    const place = () => {
      const image = [...box.querySelectorAll("img")].find((each) => each.naturalWidth > 0 && each.clientWidth > 0)
      if (image === undefined) return undefined
      const scale = image.clientWidth / image.naturalWidth
      const length = isRow
        ? image.clientWidth - (left + right) * scale
        : image.clientHeight - (top + bottom) * scale
      return { start: (isRow ? left : top) * scale, step: length / tips.length, image, scale }
    }

    const hide = () => {
      band.hidden = tip.hidden = true
    }

    const show = (index) => {
      const found = place()
      if (found === undefined) return
      at = Math.min(Math.max(index, 0), tips.length - 1)
      const { image, scale, start, step } = found
      const offset = start + at * step
      tip.replaceChildren(...[...tips[at].childNodes].map((node) => node.cloneNode(true)))
      box.setAttribute("aria-valuenow", String(at + 1))
      box.setAttribute("aria-valuetext", textOf(tips[at]))
      band.hidden = tip.hidden = false
      const [x, y, width, height] = isRow
        ? [offset, top * scale, step, image.clientHeight - (top + bottom) * scale]
        : [0, offset, image.clientWidth, step]
      Object.assign(band.style, { left: `${x}px`, top: `${y}px`, width: `${width}px`, height: `${height}px` })
      const room = box.clientWidth - tip.offsetWidth
      const beside = offset + step / 2 > box.clientWidth / 2 ? offset - tip.offsetWidth - 8 : offset + step + 8
      tip.style.left = `${Math.max(0, Math.min(room, isRow ? beside : room))}px`
      tip.style.top = `${isRow ? 0 : Math.max(0, offset + step)}px`
    }

    const point = (event) => {
      const found = place()
      if (found === undefined) return
      const frame = found.image.getBoundingClientRect()
      const offset = isRow ? event.clientX - frame.left : event.clientY - frame.top
      show(Math.floor((offset - found.start) / found.step))
    }

    const keys = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1, Home: -Infinity, End: Infinity }
    const name = box.dataset.title
    const roles = { role: "slider", tabindex: "0", "aria-label": name, "aria-valuemin": "1" }
    for (const [key, value] of Object.entries(roles)) box.setAttribute(key, value)
    box.setAttribute("aria-valuemax", String(tips.length))
    box.setAttribute("aria-valuenow", String(at + 1))
    box.setAttribute("aria-valuetext", textOf(tips[at]))
    box.addEventListener("pointermove", point)
    box.addEventListener("pointerdown", point)
    box.addEventListener("pointerleave", hide)
    box.addEventListener("focus", () => show(at))
    box.addEventListener("blur", hide)
    // On another width the picture is another one, and its bars are elsewhere.
    addEventListener("resize", () => {
      if (tip.hidden) return
      hide()
      show(at)
    })
    box.addEventListener("keydown", (event) => {
      if (event.key === "Escape") return hide()
      const by = keys[event.key]
      if (by === undefined || event.ctrlKey || event.metaKey || event.altKey) return
      event.preventDefault()
      show(at + by)
    })
  }

  for (const box of document.querySelectorAll("[data-chart]")) {
    if (box.querySelector(".chart-tips > li") !== null) readChart(box)
  }
  for (const hint of document.querySelectorAll("[data-chart-hint]")) hint.hidden = false

  // The page that is shown is among what is seen of a navigation that is longer than the screen.
  const navigation = document.querySelector(".console-nav")
  const current = navigation?.querySelector(".console-nav-link[aria-current]")
  if (current) navigation.scrollTop = current.offsetTop + current.offsetHeight - navigation.clientHeight / 2

  showButtons(document)
  // Once, when the browser has just said in which zone times are to be read.
  if (document.documentElement.dataset.zoneSaid === "now" && document.querySelector("time") !== null) location.reload()
  document.querySelector("form[data-send]")?.submit()
  document.querySelector("a[data-follow]")?.click()
})()
