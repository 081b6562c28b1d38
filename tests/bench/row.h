// A row of the suite: something that is measured, and against whom.
#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "tests/bench/comparison.h"
#include "tests/bench/plan.h"

namespace pqd::bench {

struct Row {
  std::string_view name;  // as on the command line
  std::string_view what;
  std::vector<Comparison> (*measure)(const Plan& plan);
};

// Figures that more than one row has, or that plots.cpp draws.
inline constexpr const char* kJobsASecond = "jobs/s";
inline constexpr const char* kJobsACommit = "jobs/commit";

// In the order in which they run.
std::span<const Row> all_rows();
const Row* find_row(std::string_view name);  // null: there is none

std::vector<Comparison> measure_raw_lane(const Plan& plan);
std::vector<Comparison> measure_submit_call(const Plan& plan);
std::vector<Comparison> measure_durable_submit(const Plan& plan);
std::vector<Comparison> measure_whole_life(const Plan& plan);
std::vector<Comparison> measure_acknowledgement(const Plan& plan);
std::vector<Comparison> measure_to_handler(const Plan& plan);
std::vector<Comparison> measure_urgent(const Plan& plan);
std::vector<Comparison> measure_producers(const Plan& plan);
std::vector<Comparison> measure_commit_size(const Plan& plan);
std::vector<Comparison> measure_backlog(const Plan& plan);
std::vector<Comparison> measure_cost(const Plan& plan);
std::vector<Comparison> measure_idle(const Plan& plan);

}  // namespace pqd::bench
