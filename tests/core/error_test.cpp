// The set of errors, word by word: programs in C, scripts and other hosts go by it.
#include "core/error.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <sstream>
#include <string>
#include <vector>

namespace pqd {
namespace {

struct Named {
  std::string_view name;
  int exit;  // 1 failed, 65 bad data, 66 no such thing, 69 no daemon, 75 try again, 77 not permitted, 124
             // waited
};

// The contract's list, in its order.
constexpr Named kContract[] = {
    {"QUEUE_FULL", 75},          {"REQUEST_TIMEOUT", 124},  {"PROCESSING_TIMEOUT", 1},
    {"INVALID_REQUEST", 65},     {"INVALID_PRIORITY", 65},  {"INVALID_MODE", 65},
    {"INVALID_STATUS", 1},       {"PAYLOAD_TOO_LARGE", 65}, {"WORKER_UNAVAILABLE", 75},
    {"RATE_LIMIT_EXCEEDED", 75}, {"DUPLICATE_REQUEST", 65}, {"UNAUTHORIZED", 77},
    {"NOT_FOUND", 66},           {"LEASE_LOST", 1},         {"NO_SPACE", 75},
    {"UNAVAILABLE", 69},         {"UNKNOWN_OUTCOME", 75},   {"SYSTEM_ERROR", 1}};

std::vector<Error> all_errors() {
  std::vector<Error> errors;
  for (uint8_t value = 1; value < kErrorCount; ++value) errors.push_back(static_cast<Error>(value));
  return errors;
}

size_t words_in(std::string_view text) {
  std::istringstream stream{std::string(text)};
  size_t words = 0;
  for (std::string word; stream >> word;) ++words;
  return words;
}

TEST(Errors, HaveTheContractsNamesInItsOrder) {
  std::vector<std::string_view> wanted;
  for (const Named& row : kContract) wanted.push_back(row.name);
  std::vector<std::string_view> names;
  for (const Error error : all_errors()) names.push_back(error_name(error));
  EXPECT_EQ(names, wanted);
  EXPECT_EQ(error_name(Error::kOk), "OK");
  EXPECT_EQ(error_name(static_cast<Error>(kErrorCount)), "SYSTEM_ERROR") << "whatever a later version says";
}

TEST(Errors, EndCommandsWithTheContractsExitCodes) {
  size_t at = 0;
  for (const Error error : all_errors())
    EXPECT_EQ(exit_code(error), kContract[at++].exit) << error_name(error);
  EXPECT_EQ(exit_code(Error::kOk), 0);
}

// One sentence of two halves: what happened and why; what to do next.
TEST(Errors, SayWhatWhyAndWhatToDoNext) {
  for (const Error error : all_errors()) {
    const std::string_view text = error_text(error);
    EXPECT_TRUE(text.ends_with('.')) << text;
    EXPECT_EQ(std::ranges::count(text, ';'), 1) << text;
    const size_t half = text.find(';');
    EXPECT_GE(words_in(text.substr(0, half)), 4u) << text;
    EXPECT_GE(words_in(text.substr(half + 1)), 2u) << text;
  }
  for (const Error error : {Error::kQueueFull, Error::kRateLimitExceeded, Error::kUnavailable})
    EXPECT_NE(error_text(error).find("; try again after the time given."), std::string_view::npos)
        << error_name(error);
}

}  // namespace
}  // namespace pqd
