;; out (rows × n) += a (rows × k) · w (k × n), all float32 and row-major; k and n are multiples of 4.
;; Four rows of w at a time are scaled by four numbers of a and added to out, four columns an instruction:
;; w is read once, in order, which is what a single token (rows = 1) waits for. Pointers and sizes are bytes here:
;; k4 = 4k and n4 = 4n. kernel.js carries the bytes that this text assembles to, and says the same in JavaScript.
(module
  (import "bench" "memory" (memory 1))
  (func (export "matmul")
    (param $out i32) (param $a i32) (param $w i32) (param $rows i32) (param $k4 i32) (param $n4 i32)
    (local $end_a i32) (local $end_w i32) (local $w0 i32) (local $w1 i32) (local $w2 i32) (local $w3 i32) (local $o i32)
    (local $a0 v128) (local $a1 v128) (local $a2 v128) (local $a3 v128)
    (loop $row
      (local.set $w0 (local.get $w))
      (local.set $end_a (i32.add (local.get $a) (local.get $k4)))
      (loop $four
        (local.set $a0 (v128.load32_splat offset=0 (local.get $a)))
        (local.set $a1 (v128.load32_splat offset=4 (local.get $a)))
        (local.set $a2 (v128.load32_splat offset=8 (local.get $a)))
        (local.set $a3 (v128.load32_splat offset=12 (local.get $a)))
        (local.set $w1 (i32.add (local.get $w0) (local.get $n4)))
        (local.set $w2 (i32.add (local.get $w1) (local.get $n4)))
        (local.set $w3 (i32.add (local.get $w2) (local.get $n4)))
        (local.set $o (local.get $out))
        (local.set $end_w (local.get $w1))
        (loop $column
          (v128.store (local.get $o)
            (f32x4.add
              (f32x4.add (v128.load (local.get $o))
                (f32x4.add
                  (f32x4.mul (local.get $a0) (v128.load (local.get $w0)))
                  (f32x4.mul (local.get $a1) (v128.load (local.get $w1)))))
              (f32x4.add
                (f32x4.mul (local.get $a2) (v128.load (local.get $w2)))
                (f32x4.mul (local.get $a3) (v128.load (local.get $w3))))))
          (local.set $o (i32.add (local.get $o) (i32.const 16)))
          (local.set $w1 (i32.add (local.get $w1) (i32.const 16)))
          (local.set $w2 (i32.add (local.get $w2) (i32.const 16)))
          (local.set $w3 (i32.add (local.get $w3) (i32.const 16)))
          (br_if $column
            (i32.lt_u (local.tee $w0 (i32.add (local.get $w0) (i32.const 16))) (local.get $end_w))))
        (local.set $w0 (local.get $w3))
        (br_if $four
          (i32.lt_u (local.tee $a (i32.add (local.get $a) (i32.const 16))) (local.get $end_a))))
      (local.set $out (local.get $o))
      (br_if $row (local.tee $rows (i32.sub (local.get $rows) (i32.const 1)))))))
