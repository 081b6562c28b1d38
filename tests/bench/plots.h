// The drawings that belong to some rows.
#pragma once

#include <string>
#include <vector>

#include "tests/bench/report.h"
#include "tests/bench/svg_plot.h"

namespace pqd::bench {

struct Drawing {
  std::string file;  // its name, without a directory
  Plot plot;
};

// Of what was found in this row; none for most, and none where there are no figures to draw.
std::vector<Drawing> drawings_of(const RowResult& result);

// Writes each into the directory; false: one cannot be written.
bool write_drawings(const RowResult& result, const std::string& directory);

}  // namespace pqd::bench
