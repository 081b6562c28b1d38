#include "core/row_batch.h"

#include <algorithm>

namespace pqd {

bool RowBatch::add(ByteView bytes) {
  auto view = read_row(bytes);
  if (!view) return false;
  if (rows.empty()) {
    records.reserve(std::max(kBytes, bytes.size()) + 8);
    rows.reserve(kBytes / bytes.size() + 1);  // the others may be of any size
  }
  Row& row = rows.emplace_back();
  row.core = view->core;
  row.record = {static_cast<uint32_t>(records.size()), static_cast<uint32_t>(view->record.size())};
  records.insert(records.end(), view->record.begin(), view->record.end());
  records.resize((records.size() + 7) / 8 * 8);
  if (view->history.empty() && view->reviews.empty() && view->note.empty()) return true;
  row.extra = std::make_unique<JobExtra>();
  row.extra->note = view->note;
  row.extra->history = std::move(view->history);
  row.extra->reviews = std::move(view->reviews);
  return true;
}

}  // namespace pqd
