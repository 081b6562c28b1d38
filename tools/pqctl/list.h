// Lists of jobs: what may be listed, and going through all pages of it.
#pragma once

#include "tools/pqctl/commands.h"

namespace pqd::ctl {

// What `filter` below views.
struct ListQuery {
  std::string type;
  std::string queue;
  ListFilter filter;
};
Checked<ListQuery> list_query(const ListOptions& options);

// Newest first, `limit` at most, over as many pages as it takes. `page` is Client::list or Client::dlq.
using ListPage = Result<std::vector<JobInfo>> (Client::*)(const ListFilter&);
Checked<std::vector<JobInfo>> list_jobs(Client& client, ListPage page, uint32_t page_max,
                                        const ListQuery& query, uint32_t limit);

}  // namespace pqd::ctl
