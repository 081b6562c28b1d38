// The one set of errors: the same names in C, C++, JSON and exit texts. Values are part of the C ABI and of
// the bytes in the journal: append, never renumber.
#pragma once

#include <cstdint>
#include <string_view>

namespace pqd {

enum class Error : uint8_t {
  kOk = 0,
  kQueueFull = 1,
  kRequestTimeout = 2,
  kProcessingTimeout = 3,
  kInvalidRequest = 4,
  kInvalidPriority = 5,
  kInvalidMode = 6,
  kInvalidStatus = 7,
  kPayloadTooLarge = 8,
  kWorkerUnavailable = 9,
  kRateLimitExceeded = 10,
  kDuplicateRequest = 11,
  kUnauthorized = 12,
  kNotFound = 13,
  kLeaseLost = 14,
  kNoSpace = 15,
  kUnavailable = 16,
  kUnknownOutcome = 17,
  kSystemError = 18,
};
inline constexpr uint8_t kErrorCount = 19;

// "QUEUE_FULL" and so on; "OK" for kOk; "SYSTEM_ERROR" for a value out of the set.
std::string_view error_name(Error error);

// One sentence each: what happened, and what the caller can do next.
std::string_view error_text(Error error);

// The sysexits value that a command ends with because of this error (SPEC section 7).
int exit_code(Error error);

}  // namespace pqd
