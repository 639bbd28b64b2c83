"""The small models whose outputs are compared, and what they are given."""

IDS = [[5, 9, 3, 17, 2, 30], [7, 4, 4, 21, 0, 0]]
MASK = [[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, 0, 0]]
LEFT_IDS = [[5, 9, 3, 17, 2, 30], [0, 0, 7, 4, 4, 21]]
LEFT_MASK = [[1, 1, 1, 1, 1, 1], [0, 0, 1, 1, 1, 1]]
TYPES = [[0, 0, 0, 1, 1, 1], [0, 0, 1, 1, 0, 0]]
ROBERTA_IDS = [[0, 9, 3, 17, 2], [0, 4, 2, 1, 1]]
ROBERTA_MASK = [[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]
TOKEN_LABELS = [[1, -100, 2, 0, 1, -100], [0, 2, -100, 1, -100, -100]]
LM_LABELS = [[5, -100, 3, 17, 2, 30], [7, 4, -100, 21, -100, -100]]

BERT = {
    "vocab_size": 31,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 12,
}
ROBERTA = {**BERT, "layer_norm_eps": 1e-5, "type_vocab_size": 1, "pad_token_id": 1}
DISTILBERT = {
    "vocab_size": 31,
    "dim": 16,
    "n_layers": 2,
    "n_heads": 4,
    "hidden_dim": 24,
    "max_position_embeddings": 12,
}
GPT2 = {"vocab_size": 31, "n_positions": 24, "n_embd": 16, "n_layer": 2, "n_head": 4}
ENDS = {"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 0}
LLAMA = {
    "vocab_size": 31,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 64,
    **ENDS,
}
LLAMA3 = {
    "rope_type": "llama3",
    "rope_theta": 500.0,
    "factor": 4.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 16,
}
T5 = {
    "vocab_size": 31,
    "d_model": 16,
    "d_kv": 6,
    "d_ff": 24,
    "num_layers": 2,
    "num_heads": 3,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 10,
    "decoder_start_token_id": 0,
}
LABELS = {"num_labels": 3}
QA = {"start_positions": [1, 2], "end_positions": [3, 2]}
MASKED = {"input_ids": IDS, "attention_mask": MASK}
LEFT = {"input_ids": LEFT_IDS, "attention_mask": LEFT_MASK}
KINDS = {**MASKED, "token_type_ids": TYPES}
ROBERTA_IN = {"input_ids": ROBERTA_IDS, "attention_mask": ROBERTA_MASK}
LAST5 = [row[:5] for row in TOKEN_LABELS]
SPEECH = {"decoder_input_ids": [[0, 4, 8], [0, 9, 2]]}

WRITE = [
    {"max_new_tokens": 8},
    {"max_new_tokens": 8, "repetition_penalty": 1.7},
    {"max_new_tokens": 8, "num_beams": 3},
    {"max_new_tokens": 6, "num_beams": 4, "length_penalty": 2.0},
    {"max_new_tokens": 6, "num_beams": 2, "length_penalty": -1.0, "early_stopping": True},
    {"max_new_tokens": 7, "min_new_tokens": 5, "num_beams": 2},
]

CASES = {
    "bert": ("BertModel", BERT, KINDS),
    "bert_words": ("BertForMaskedLM", BERT, {**KINDS, "labels": LM_LABELS}),
    "bert_texts": (
        "BertForSequenceClassification",
        {**BERT, **LABELS},
        {**KINDS, "labels": [2, 0]},
    ),
    "bert_tokens": (
        "BertForTokenClassification",
        {**BERT, **LABELS},
        {**KINDS, "labels": TOKEN_LABELS},
    ),
    "bert_answers": ("BertForQuestionAnswering", BERT, {**KINDS, **QA}),
    "bert_tanh": ("BertModel", {**BERT, "hidden_act": "gelu_new"}, MASKED),
    "roberta": ("RobertaModel", ROBERTA, ROBERTA_IN),
    "roberta_words": (
        "RobertaForMaskedLM",
        ROBERTA,
        {**ROBERTA_IN, "labels": [r[:5] for r in LM_LABELS]},
    ),
    "roberta_texts": (
        "RobertaForSequenceClassification",
        {**ROBERTA, **LABELS},
        {**ROBERTA_IN, "labels": [1, 2]},
    ),
    "roberta_tokens": (
        "RobertaForTokenClassification",
        {**ROBERTA, **LABELS},
        {**ROBERTA_IN, "labels": LAST5},
    ),
    "roberta_answers": ("RobertaForQuestionAnswering", ROBERTA, {**ROBERTA_IN, **QA}),
    "distilbert": ("DistilBertModel", DISTILBERT, MASKED),
    "distilbert_words": ("DistilBertForMaskedLM", DISTILBERT, {**MASKED, "labels": LM_LABELS}),
    "distilbert_texts": (
        "DistilBertForSequenceClassification",
        {**DISTILBERT, **LABELS},
        {**MASKED, "labels": [2, 1]},
    ),
    "distilbert_tokens": (
        "DistilBertForTokenClassification",
        {**DISTILBERT, **LABELS},
        {**MASKED, "labels": TOKEN_LABELS},
    ),
    "distilbert_answers": ("DistilBertForQuestionAnswering", DISTILBERT, {**MASKED, **QA}),
    "gpt2": ("GPT2Model", GPT2, MASKED),
    "gpt2_writes": ("GPT2LMHeadModel", {**GPT2, **ENDS}, {**MASKED, "labels": LM_LABELS}),
    "gpt2_layers": (
        "GPT2LMHeadModel",
        {**GPT2, "scale_attn_by_inverse_layer_idx": True, "n_inner": 20},
        MASKED,
    ),
    "llama": ("LlamaModel", LLAMA, MASKED),
    "llama_writes": ("LlamaForCausalLM", LLAMA, {**MASKED, "labels": LM_LABELS}),
    "llama_tied": (
        "LlamaForCausalLM",
        {
            **LLAMA,
            "tie_word_embeddings": True,
            "attention_bias": True,
            "mlp_bias": True,
            "head_dim": 6,
        },
        MASKED,
    ),
    "llama_stretched": ("LlamaModel", {**LLAMA, "rope_parameters": LLAMA3}, MASKED),
    "llama_linear": (
        "LlamaModel",
        {**LLAMA, "rope_parameters": {"rope_type": "linear", "factor": 2.5, "rope_theta": 10000.0}},
        MASKED,
    ),
    "t5": ("T5Model", T5, {**MASKED, **SPEECH}),
    "t5_encodes": ("T5EncoderModel", T5, MASKED),
    "t5_writes": (
        "T5ForConditionalGeneration",
        T5,
        {**MASKED, "labels": [[4, 9, 1], [8, 1, -100]]},
    ),
    "t5_gated": (
        "T5ForConditionalGeneration",
        {
            **T5,
            "feed_forward_proj": "gated-gelu",
            "tie_word_embeddings": False,
            "num_decoder_layers": 1,
        },
        {**MASKED, **SPEECH},
    ),
}
"""name -> (class, config, arguments)."""

WRITERS = {"gpt2_writes": LEFT, "llama_writes": LEFT, "t5_writes": MASKED}
"""name of a case -> the prompts that it writes on."""

FULL_SIZE = {
    "BertModel": {},
    "BertForMaskedLM": {},
    "RobertaModel": {"max_position_embeddings": 514, "type_vocab_size": 1, "layer_norm_eps": 1e-5},
    "RobertaForMaskedLM": {
        "max_position_embeddings": 514,
        "type_vocab_size": 1,
        "layer_norm_eps": 1e-5,
    },
    "DistilBertModel": {},
    "GPT2LMHeadModel": {},
    "LlamaForCausalLM": {},
    "T5ForConditionalGeneration": {},
    "T5EncoderModel": {},
}
"""class -> the config of the well-known model of its kind, as far as it is not the default."""
