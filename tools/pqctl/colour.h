// The few colours that pqctl uses, and whether it may: only on a terminal that has not been told otherwise.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/job.h"

namespace pqd::ctl {

enum class Tone : uint8_t { kPlain, kHeading, kGood, kBusy, kWarn, kBad, kFaint };

class Colour {
 public:
  explicit Colour(bool on) : on_(on) {}
  // On when `fd` is a terminal, unless `refused`, NO_COLOR is set to anything, or TERM says "dumb".
  static Colour for_fd(int fd, bool refused);

  bool on() const { return on_; }
  std::string paint(Tone tone, std::string_view text) const;

 private:
  bool on_;
};

Tone tone_of(JobState state);

}  // namespace pqd::ctl
