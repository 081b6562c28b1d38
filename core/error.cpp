#include "core/error.h"

#include <array>

namespace pqd {
namespace {

struct Row {
  std::string_view name;
  std::string_view text;
  int exit;
};

constexpr std::array<Row, kErrorCount> kRows{{
    {"OK", "Done.", 0},
    {"QUEUE_FULL", "The queue had no room within its admission timeout; try again after the time given.", 75},
    {"REQUEST_TIMEOUT",
     "The time to wait was over before the answer came, or before the job's turn; look at the job's state.",
     124},
    {"PROCESSING_TIMEOUT", "The lease ended before the job was settled; the attempt is spent.", 1},
    {"INVALID_REQUEST", "A field is missing, malformed or out of its range; correct the request.", 65},
    {"INVALID_PRIORITY", "There is no such priority; give 1 to 20 (LOW 1, NORMAL 5, HIGH 10, CRITICAL 20).",
     65},
    {"INVALID_MODE", "There is no such mode; give fifo, priority or batch.", 65},
    {"INVALID_STATUS", "The job's or queue's state does not allow this; look at its state first.", 1},
    {"PAYLOAD_TOO_LARGE", "The payload is over the limit; store it elsewhere and submit a reference.", 65},
    {"WORKER_UNAVAILABLE", "The consumer died with the job, or none takes its type; start one.", 75},
    {"RATE_LIMIT_EXCEEDED", "Too many submits by this user; try again after the time given.", 75},
    {"DUPLICATE_REQUEST", "The idempotency key was used with other content; use a new key.", 65},
    {"UNAUTHORIZED",
     "This user may not do that; an administrator gives roles under [access] in the configuration.", 77},
    {"NOT_FOUND", "There is no such job or queue that this caller may see; look at its id or name.", 66},
    {"LEASE_LOST", "The lease is no longer held; drop the work, another attempt may be under way.", 1},
    {"NO_SPACE", "The disk is too full to accept jobs; free space, completions still work.", 75},
    {"UNAVAILABLE", "The daemon does not take requests at the moment; try again after the time given.", 69},
    {"UNKNOWN_OUTCOME", "The daemon went away before it answered; submitting the same id again is safe.", 75},
    {"SYSTEM_ERROR", "The operating system or the store failed; the daemon's log says where.", 1},
}};

const Row& row(Error error) {
  const auto index = static_cast<size_t>(error);
  return kRows[index < kRows.size() ? index : static_cast<size_t>(Error::kSystemError)];
}

}  // namespace

std::string_view error_name(Error error) { return row(error).name; }
std::string_view error_text(Error error) { return row(error).text; }
int exit_code(Error error) { return row(error).exit; }

}  // namespace pqd
