// What a producer or consumer tells the process that started it, over a pipe: records of one size, written
// whole, so that a writer that is killed leaves no half of one.
#pragma once

#include <climits>
#include <cstdint>
#include <type_traits>
#include <vector>

#include "core/job_id.h"

namespace pqd::demo {

struct Event {
  enum class Kind : uint32_t {
    kDurable = 1,  // a producer: the job of file `file` is safe
    kSettled = 2,  // a consumer: its result is safe
  };
  Kind kind{};
  uint32_t file = 0;
  JobId job{};
  int64_t at_ns = 0;    // CLOCK_MONOTONIC
  int64_t took_ns = 0;  // kDurable: since the call of submit
};
static_assert(sizeof(Event) == 40 && std::is_trivially_copyable_v<Event>);

int64_t monotonic_ns();

// Gathers events and writes them in pieces that a pipe takes at once or not at all.
class EventWriter {
 public:
  explicit EventWriter(int fd) : fd_(fd) {}
  void add(const Event& event);
  // False: the reader is gone.
  bool flush();

 private:
  static constexpr size_t kPieceMax = PIPE_BUF / sizeof(Event);

  int fd_;
  bool broken_ = false;
  std::vector<Event> pending_;
};

// Takes what is there without waiting. False: the writer has closed its end.
bool read_events(int fd, std::vector<Event>& events);

}  // namespace pqd::demo
