#include "daemon/log/last_words.h"

#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <exception>
#include <new>
#include <system_error>

#include "daemon/log/log.h"

namespace pqd {
namespace {

constexpr const char* kNoMemory =
    "no memory is left: raise the limit (MemoryMax= of the unit, ulimit -v) or lower max_bytes of the queues";
constexpr const char* kNoThread =
    "no thread can be made: raise the limit (TasksMax= of the unit, ulimit -u, or that of memory)";

// Written before a second thread runs.
const char* process_name = "pqd";
const char* outcome_text = "";
int exit_status = 1;
bool to_journal = false;
std::terminate_handler other_end = nullptr;

// As log.cpp has it, without an allocation and without the logger, which another thread may hold. Of several
// threads that come here at once each may get its line out.
[[noreturn]] void end(const char* why) {
  std::array<char, 512> line{};
  timespec now{};
  tm local{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  ::localtime_r(&now.tv_sec, &local);
  std::array<char, 32> stamp{};
  ::strftime(stamp.data(), stamp.size(), "%Y-%m-%d %H:%M:%S", &local);
  // The journal reads the level off the line's beginning, see sd-daemon(3).
  const int length =
      to_journal ? std::snprintf(line.data(), line.size(), "<2>%s. %s\n", why, outcome_text)
                 : std::snprintf(line.data(), line.size(), "%s.%03ld critical %s: %s. %s\n", stamp.data(),
                                 now.tv_nsec / 1'000'000, process_name, why, outcome_text);
  const auto bytes = static_cast<size_t>(std::clamp(length, 0, static_cast<int>(line.size()) - 1));
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, line.data(), bytes);
  ::_exit(exit_status);
}

[[noreturn]] void end_uncaught() {
  try {
    if (const auto thrown = std::current_exception()) std::rethrow_exception(thrown);
  } catch (const std::bad_alloc&) {
    end(kNoMemory);
  } catch (const std::system_error& error) {
    // What std::thread throws.
    if (error.code() == std::errc::resource_unavailable_try_again) end(kNoThread);
  } catch (...) {
    // Somebody's mistake: it is for a core dump.
  }
  other_end();
  std::abort();
}

}  // namespace

void end_without_memory(const char* process, const char* outcome, int status) {
  process_name = process;
  outcome_text = outcome;
  exit_status = status;
  to_journal = stderr_is_journal();
  std::set_new_handler([] { end(kNoMemory); });
  if (other_end == nullptr) other_end = std::set_terminate(end_uncaught);
}

}  // namespace pqd
