#include "tools/pqctl/line_reader.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace pqd::ctl {
namespace {

constexpr size_t kBufferBytes = 64 * 1024;

}  // namespace

LineReader::LineReader(int fd, size_t line_bytes_max, int stop_fd)
    : fd_(fd), stop_fd_(stop_fd), line_bytes_max_(line_bytes_max), buffer_(kBufferBytes) {}

void LineReader::wait_for_more() {
  std::array<pollfd, 2> wanted{{{fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}}};
  while (::poll(wanted.data(), wanted.size(), -1) < 0 && errno == EINTR) {
  }
  stopped_ = (wanted[1].revents & POLLIN) != 0;
}

bool LineReader::fill() {
  if (stop_fd_ >= 0) wait_for_more();
  if (stopped_) return false;
  ssize_t count = 0;
  do count = ::read(fd_, buffer_.data(), buffer_.size());
  while (count < 0 && errno == EINTR);
  if (count < 0) error_ = errno;
  if (count <= 0) return false;
  begin_ = 0;
  end_ = static_cast<size_t>(count);
  bytes_read_ += end_;
  return true;
}

bool LineReader::would_block() const {
  pollfd wanted{fd_, POLLIN, 0};
  const bool line_is_here = std::memchr(buffer_.data() + begin_, '\n', end_ - begin_) != nullptr;
  return !line_is_here && ::poll(&wanted, 1, 0) == 0;
}

std::optional<LineReader::Line> LineReader::next() {
  Line line;
  line.number = ++number_;
  for (;;) {
    if (begin_ == end_ && !fill()) {
      if (error_ != 0 || stopped_ || (line.text.empty() && !line.too_long)) return std::nullopt;
      return line;
    }
    const auto from = buffer_.begin() + static_cast<ptrdiff_t>(begin_);
    const auto to = buffer_.begin() + static_cast<ptrdiff_t>(end_);
    const auto newline = std::find(from, to, '\n');
    line.too_long |= line.text.size() + static_cast<size_t>(newline - from) > line_bytes_max_;
    if (!line.too_long) line.text.append(from, newline);
    begin_ += static_cast<size_t>(newline - from);
    if (newline == to) continue;
    ++begin_;
    return line;
  }
}

}  // namespace pqd::ctl
