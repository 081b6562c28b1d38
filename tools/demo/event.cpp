#include "tools/demo/event.h"

#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace pqd::demo {

int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

void EventWriter::add(const Event& event) {
  pending_.push_back(event);
  if (pending_.size() == kPieceMax) flush();
}

bool EventWriter::flush() {
  if (pending_.empty() || broken_) return !broken_;
  const size_t bytes = pending_.size() * sizeof(Event);
  ssize_t written = 0;
  do written = ::write(fd_, pending_.data(), bytes);
  while (written < 0 && errno == EINTR);
  broken_ = written != static_cast<ssize_t>(bytes);
  pending_.clear();
  return !broken_;
}

bool read_events(int fd, std::vector<Event>& events) {
  std::array<Event, 1024> piece;
  for (;;) {
    const ssize_t got = ::read(fd, piece.data(), sizeof piece);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return got < 0 && errno == EAGAIN;
    // Pieces are written whole and are a multiple of an event, and so is what is read of them.
    events.insert(events.end(), piece.begin(), piece.begin() + got / static_cast<ssize_t>(sizeof(Event)));
  }
}

}  // namespace pqd::demo
