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

  LineReader(int fd, size_t line_bytes_max);
  // Nothing at the end of the input, or when reading failed: see error(). Blocks.
  std::optional<Line> next();
  // Nothing is buffered and nothing to be read at the moment.
  bool would_block() const;
  int error() const { return error_; }
  uint64_t bytes_read() const { return bytes_read_; }

 private:
  bool fill();

  int fd_;
  size_t line_bytes_max_;
  std::vector<char> buffer_;
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t number_ = 0;
  uint64_t bytes_read_ = 0;
  int error_ = 0;
};

}  // namespace pqd::ctl
