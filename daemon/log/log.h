// Where the lines of both processes go, decided once at their start: to the system's journal, or to stderr.
#pragma once

#include <string>

namespace pqd {

// Makes spdlog's default logger one that any thread may use. `process` ("supervisor", "engine") goes with
// every line; `level` is a word of [daemon] log_level. A process that is forked opens its own, under its own
// name, before it starts a thread; REQUIRES: no other thread logs meanwhile.
void open_log(const std::string& process, const std::string& level);

// Is stderr the journal's stream, as systemd's JOURNAL_STREAM says? Somebody may have redirected it since.
bool stderr_is_journal();

}  // namespace pqd
