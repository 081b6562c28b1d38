// How every operation of the client says that it did not work: the code to switch on, a sentence with the
// particulars for people, and when to come back where the daemon said so.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "core/error.h"

namespace pqd {

struct Failure {
  Error error = Error::kSystemError;
  std::string text;             // what happened and what to do next
  uint32_t retry_after_ms = 0;  // 0 = time will not mend it, or nobody knows
};

// After which it is worth asking a daemon again that is away or too busy: engines come back sooner.
inline constexpr uint32_t kAwayRetryMs = 1'000;

template <class T>
using Result = std::expected<T, Failure>;

// The error's own sentence, for where there is nothing particular to say.
inline Failure failure_of(Error error, uint32_t retry_after_ms = 0) {
  return {error, std::string(error_text(error)), retry_after_ms};
}
// Of what was written when the daemon went away.
inline Failure unknown_outcome(const Failure& away) {
  return {Error::kUnknownOutcome, "this was sent and not answered: " + away.text, 0};
}
inline std::unexpected<Failure> fail_with(Error error, std::string text, uint32_t retry_after_ms = 0) {
  return std::unexpected(Failure{error, std::move(text), retry_after_ms});
}

}  // namespace pqd
