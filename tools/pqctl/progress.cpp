#include "tools/pqctl/progress.h"

#include <unistd.h>

#include <cstdlib>
#include <string>

#include "tools/pqctl/table.h"
#include "tools/pqctl/utf8.h"

namespace pqd::ctl {
namespace {

constexpr std::chrono::milliseconds kPause{150};

bool wipes_lines() {
  const char* term = std::getenv("TERM");
  return term != nullptr && std::string_view(term) != "dumb";
}

}  // namespace

Progress::Progress(int fd)
    : fd_(fd), on_(::isatty(fd) == 1 && wipes_lines()), next_(std::chrono::steady_clock::now() + kPause) {}

bool Progress::due() const { return on_ && std::chrono::steady_clock::now() >= next_; }

void Progress::show(std::string_view line) {
  if (!due()) return;
  next_ = std::chrono::steady_clock::now() + kPause;
  shown_ = true;
  write("\r\033[K" + shorten(one_line(line), output_columns(fd_) - 1));
}

void Progress::clear() {
  if (shown_) write("\r\033[K");
  shown_ = false;
}

void Progress::write(std::string_view text) {
  // Only decoration: when it cannot be written, nothing is lost.
  [[maybe_unused]] const ssize_t written = ::write(fd_, text.data(), text.size());
}

}  // namespace pqd::ctl
