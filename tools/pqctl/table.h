// Rows under headings, or labels beside values, within the width of the output. What does not fit is
// shortened, widest column first; columns that must stay whole (ids) are never touched. Rows that fit no line
// however much is cut are cut to as few lines of the terminal as they can take.
#pragma once

#include <string>
#include <vector>

#include "tools/pqctl/colour.h"

namespace pqd::ctl {

struct Column {
  std::string heading{};
  bool whole = false;  // never shortened
  bool right = false;  // numbers
  size_t width_min = 4;
};

struct Cell {
  std::string text{};
  Tone tone = Tone::kPlain;
};

class Table {
 public:
  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  // Text of any origin. REQUIRES: as many cells as columns.
  void add(std::vector<Cell> row);
  bool empty() const { return rows_.empty(); }
  std::string render(size_t width, const Colour& colour) const;

 private:
  std::vector<size_t> widths(size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<Cell>> rows_;
};

// One thing with its facts, a line each; long values go on in the next line.
class Sheet {
 public:
  // Nothing is added when the value is empty.
  void add(std::string label, std::string_view value, Tone tone = Tone::kPlain);
  std::string render(size_t width, const Colour& colour) const;

 private:
  struct Line {
    std::string label;
    std::string value;
    Tone tone;
  };
  std::vector<Line> lines_;
};

// $COLUMNS, else what the terminal on `fd` says, else 80.
size_t output_columns(int fd);

}  // namespace pqd::ctl
