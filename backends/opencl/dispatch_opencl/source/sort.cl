// Sorting: keys are unsigned integers in the wanted order, sorted together with their places by merging.

// Keys of elements of family @F.
static KEY key_of(T_@F x) { @KEY }

kernel void keys(global KEY* out, In a, const long offset, const int kind, const int descending,
                 const long n) {
  long end = min((long)(get_global_id(0) + 1) * SPAN, n);
  for (long i = get_global_id(0) * SPAN; i < end; i++) {
    KEY key = key_of(read_@F(a, offset + i, kind));
    out[i] = descending ? ~key : key;
  }
}

// Runs of RUN elements, each sorted by insertion.
kernel void runs(global KEY* key, global long* place, const long n) {
  global KEY* k = key + get_global_id(1) * n;
  global long* at = place + get_global_id(1) * n;
  long begin = get_global_id(0) * RUN, end = min(begin + RUN, n);
  for (long i = begin; i < end; i++) {
    KEY x = k[i];
    long j = i;
    for (; j > begin && k[j - 1] > x; j--) {
      k[j] = k[j - 1];
      at[j] = at[j - 1];
    }
    k[j] = x;
    at[j] = i;
  }
}

// Pairs of runs of `width` merged. A work-item makes SPAN elements of the result: a binary search finds
// how many of those before them come from the first run (Green, McColl, Bader 2012: merge path).
kernel void merge(global KEY* key_out, global long* place_out, global const KEY* key,
                  global const long* place, const long n, const long width) {
  long line = get_global_id(1) * n;
  long k = get_global_id(0) * SPAN, end = min(k + SPAN, n);
  while (k < end) {
    long a0 = k / (2 * width) * (2 * width), a1 = min(a0 + width, n), b1 = min(a1 + width, n);
    long stop = min(end, b1), before = k - a0;
    long low = max(0L, before - (b1 - a1)), high = min(before, a1 - a0);
    while (low < high) {
      long middle = (low + high) / 2;
      if (key[line + a0 + middle] <= key[line + a1 + before - middle - 1]) low = middle + 1;
      else high = middle;
    }
    long i = a0 + low, j = a1 + before - low;
    for (; k < stop; k++) {
      bool first = j >= b1 || (i < a1 && key[line + i] <= key[line + j]);
      long from = first ? i++ : j++;
      key_out[line + k] = key[line + from];
      place_out[line + k] = place[line + from];
    }
  }
}
