// Lines out of a descriptor, in bounded memory: a line that is too long is skipped and said to be. One
// thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace pqd::ctl {

class LineReader {
 public:
  struct Line {
    std::string text;
    size_t number = 0;  // 1-based
    bool too_long = false;
  };

  // `stop_fd`: reading ends as soon as it is readable; -1 = never.
  LineReader(int fd, size_t line_bytes_max, int stop_fd = -1);
  // Nothing at the end of the input, when told to stop (what came of a line by then is dropped), or when
  // reading failed: see error(). Blocks.
  std::optional<Line> next();
  // No whole line is buffered and nothing is to be read at the moment.
  bool would_block() const;
  int error() const { return error_; }
  uint64_t bytes_read() const { return bytes_read_; }

 private:
  bool fill();
  void wait_for_more();

  int fd_;
  int stop_fd_;
  size_t line_bytes_max_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t number_ = 0;
  uint64_t bytes_read_ = 0;
  int error_ = 0;
  bool stopped_ = false;
};

}  // namespace pqd::ctl
