// How a command says that it cannot go on: what, why and what to do next, with the exit code that goes with
// it.
#pragma once

#include <cerrno>
#include <expected>
#include <string>
#include <string_view>
#include <system_error>

#include "bindings/cpp/failure.h"

namespace pqd::ctl {

inline constexpr int kExitOk = 0;
inline constexpr int kExitFailed = 1;
inline constexpr int kExitUsage = 64;
inline constexpr int kExitBadData = 65;
inline constexpr int kExitNotFound = 66;
inline constexpr int kExitTryAgain = 75;
inline constexpr int kExitBadConfig = 78;
inline constexpr int kExitWaitTimedOut = 124;

struct Complaint {
  int exit = kExitFailed;
  std::string text;
};

template <class T>
using Checked = std::expected<T, Complaint>;

inline std::unexpected<Complaint> complain(int exit, std::string text) {
  return std::unexpected(Complaint{exit, std::move(text)});
}

// With the error's name in front, so that scripts and people find it in the documentation.
inline Complaint complaint_of(Error error, std::string_view text) {
  return {exit_code(error), std::string(error_name(error)) + ": " + std::string(text)};
}
Complaint complaint_of(const Failure& failure);
inline std::unexpected<Complaint> complain(Error error, std::string_view text) {
  return std::unexpected(complaint_of(error, text));
}
inline std::unexpected<Complaint> complain(const Failure& failure) {
  return std::unexpected(complaint_of(failure));
}
inline std::string errno_text(int number) { return std::generic_category().message(number); }

}  // namespace pqd::ctl
