// The header in C++, with warnings as errors.
#include <pqd/pqd.h>

#include <cstdio>

int main() {
  pqd_submit_options job;
  pqd_submit_options_init(&job);
  pqd_list_options list = PQD_LIST_OPTIONS_INIT;
  pqd_outcome outcome = PQD_OUTCOME_INIT;
  std::printf("%s %u %u %u\n", pqd_status_name(PQD_OK), job.priority, list.limit, outcome.duplicate);
  return job.size == sizeof job ? 0 : 1;
}
