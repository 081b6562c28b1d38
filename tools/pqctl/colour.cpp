#include "tools/pqctl/colour.h"

#include <unistd.h>

#include <array>
#include <cstdlib>

namespace pqd::ctl {
namespace {

constexpr std::array<std::string_view, 7> kCodes{"",         "\033[1m",  "\033[32m", "\033[36m",
                                                 "\033[33m", "\033[31m", "\033[2m"};
constexpr std::string_view kReset = "\033[0m";

}  // namespace

Colour Colour::for_fd(int fd, bool refused) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  const bool unwanted = refused || (no_color != nullptr && *no_color != '\0');
  const bool dumb = term == nullptr || std::string_view(term) == "dumb";
  return Colour(!unwanted && !dumb && ::isatty(fd) == 1);
}

std::string Colour::paint(Tone tone, std::string_view text) const {
  const std::string_view code = kCodes[static_cast<size_t>(tone)];
  if (!on_ || code.empty() || text.empty()) return std::string(text);
  return std::string(code) + std::string(text) + std::string(kReset);
}

Tone tone_of(JobState state) {
  switch (state) {
    case JobState::kPending:
      return Tone::kPlain;
    case JobState::kAssigned:
    case JobState::kProcessing:
      return Tone::kBusy;
    case JobState::kCompleted:
      return Tone::kGood;
    case JobState::kFailed:
    case JobState::kTimeout:
      return Tone::kBad;
    case JobState::kCancelled:
      return Tone::kFaint;
  }
  return Tone::kPlain;
}

}  // namespace pqd::ctl
