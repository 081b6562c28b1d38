// Campaigns about the store: power cuts, flipped bits or failed calls in the lives of many seeds, on every
// CPU.
#pragma once

#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <string>

namespace pqd::test {

struct StoreOrder {
  uint64_t first = 1;  // seeds
  uint64_t last = 20;
  uint64_t commits = 120;  // of each life
  uint64_t images = 4;     // at random at each point, besides the two extremes
  uint64_t points = 0;     // about so many of a life; 0 = every one
  uint64_t flips = 0;      // instead of power cuts, so many of each life
  bool failed_calls = false;  // instead of power cuts, every call of each life
  unsigned processes = static_cast<unsigned>(std::max(1L, ::sysconf(_SC_NPROCESSORS_ONLN)));
  std::string figures_file;  // a page with the marks that the figures go between; "" = none
};

// Prints the figures. The exit status: 1 when something was lost, wrong or served silently.
int run_store_campaign(const StoreOrder& order);

}  // namespace pqd::test
